// Reads the plan in force, plan.jsonl, as JSON objects, one per line, and checks which records of a line are missing.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "record/layout.h"

namespace assay::record {

// Throws UserError with file and line when a line is not a plan line.
std::vector<nlohmann::json> read_plan_lines(const std::filesystem::path& file);

// True when the train record and the record of every planned evaluation exist and are complete. Without the train
// record the others do not count: they belong to an earlier training.
bool has_all_records(const nlohmann::json& line, const RunLayout& run);

// Number of cores that one run uses: threads per rank times ranks.
int cores_of(const nlohmann::json& line);

// Whether the run's ranks are processes, which mpirun starts. Ranks with a GPU each are threads on one host, and
// processes where mpirun gets arguments, which name several hosts.
bool has_processes(const nlohmann::json& line);

}  // namespace assay::record
