// Loads the plugins and checks the files that a plan line names.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "loader/registry.h"
#include "record/plan_line/plan_line.h"

namespace assay::app {

// Returns the components that a plan line names, each from its planned file. Throws UserError when a file has changed
// since the plan was made.
loader::Registry registry_of(const record::PlannedPlugins& plugins);

// Throws UserError unless every file or folder in this part of a plan line still has the content from which the
// identity was computed.
void check_paths(const nlohmann::json& config);
void check_paths(const record::TrainConfig& train);
void check_paths(const std::vector<record::PlannedEvaluation>& evaluations);

// The build id of libassay_run, which contains all code besides the plugins that determines a run's numbers.
std::string training_code();

}  // namespace assay::app
