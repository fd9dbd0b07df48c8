// source.json: the request that made the plan in force, so that a reader of results can check whether the same request
// would still give that plan.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "record/layout.h"

namespace assay::plan {

struct PlanSource {
  PlanRequest request;             // with absolute paths
  std::string made;                // UTC
  std::string plan;                // SHA-256 of plan.jsonl
  std::vector<std::string> files;  // files and folders that planning read, absolute; empty: unknown
  std::string stamp;               // of `files` and the plugins
};

// Writes the source of a plan next to the plan, which must just have been written.
void write_plan_source(const Plan& plan, const record::ExperimentLayout& experiment);

// Returns no value if the file is absent or corrupt, or belongs to another plan than the one in force.
std::optional<PlanSource> read_plan_source(const record::ExperimentLayout& experiment);

// True when, by size and modification time, neither the files nor the plugins have changed since the plan was made.
bool is_untouched(const PlanSource& source);

}  // namespace assay::plan
