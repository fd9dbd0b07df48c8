// What of a run is on disk before an attempt, and what one that has finished leaves there.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "record/layout.h"
#include "run/run.h"

namespace assay::app {

std::filesystem::path contexts_of(const record::ExperimentLayout& experiment);

// What of the run is there already, and what code would continue it.
run::Attempt attempt_at(const nlohmann::json& line, const record::RunLayout& layout,
                        const record::ExperimentLayout& experiment, int number);

// Records that are not whole, and count as absent, make room for those of this attempt. A note of each.
std::vector<std::string> remove_torn_records(const nlohmann::json& line, const record::RunLayout& layout);

void write_records(const nlohmann::json& line, const record::RunLayout& layout, const run::RunReport& report,
                   const std::string& started, double seconds);

// Unless the plan line keeps them.
void remove_checkpoints(const nlohmann::json& line, const record::RunLayout& layout);

}  // namespace assay::app
