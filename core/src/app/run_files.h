// What of a run is on disk before an attempt, and what one that has finished leaves there.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "record/layout.h"
#include "run/run.h"

namespace assay {

std::filesystem::path contexts_of(const ExperimentLayout& experiment);

// What of the run is there already, and what code would continue it.
Attempt attempt_at(const nlohmann::json& line, const RunLayout& layout, const ExperimentLayout& experiment, int number);

// Records that are not whole, and count as absent, make room for those of this attempt. A note of each.
std::vector<std::string> remove_torn_records(const nlohmann::json& line, const RunLayout& layout);

void write_records(const nlohmann::json& line, const RunLayout& layout, const RunReport& report,
                   const std::string& started, double seconds);

// Unless the plan line keeps them.
void remove_checkpoints(const nlohmann::json& line, const RunLayout& layout);

}  // namespace assay
