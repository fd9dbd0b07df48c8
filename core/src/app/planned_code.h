// The code and the files that a plan line names, and whether they are still those that were planned.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "loader/registry.h"

namespace assay::app {

// The components that a plan line names, each from the file that was planned. UserError when one has changed since.
loader::Registry registry_of(const nlohmann::json& plan_line);

// Every file or folder that this part of a plan line names is the one that its identity was made from, or a UserError.
void check_paths(const nlohmann::json& part);

// Build id of libassay_run, which holds all that decides a run's numbers besides the plugins.
std::string training_code();

}  // namespace assay::app
