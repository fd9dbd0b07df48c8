// The plan in force, plan.jsonl, as the JSON objects of its lines, and what of a line has no record yet.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "record/layout.h"

namespace assay::record {

// Throws UserError with file and line when a line is not a plan line.
std::vector<nlohmann::json> read_plan_lines(const std::filesystem::path& file);

// True when the train record and every planned evaluation's record are there and whole. Without the first, the others
// count for nothing: they are of an earlier training.
bool has_all_records(const nlohmann::json& line, const RunLayout& run);

// Cores one run keeps busy: threads a rank times ranks.
int cores_of(const nlohmann::json& line);

// Whether the run's ranks are processes, which mpirun starts. Ranks with a GPU each are threads on one host, and
// processes where mpirun gets arguments, which name several hosts.
bool has_processes(const nlohmann::json& line);

}  // namespace assay::record
