// Reads the plan in force, plan.jsonl, one plan line per line, and checks which records of a line are missing.
#pragma once

#include <filesystem>
#include <vector>

#include "record/layout.h"
#include "record/plan_line/plan_line.h"

namespace assay::record {

// Throws UserError with file and line when a line is not a plan line.
std::vector<PlanLine> read_plan_lines(const std::filesystem::path& file);

// True when the train record and the record of every planned evaluation exist and are complete. Without the train
// record the others do not count: they belong to an earlier training.
bool has_all_records(const PlanLine& line, const RunLayout& run);

}  // namespace assay::record
