// source.json: how the plan in force was asked for, so that a reader of results can find out whether the same request
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
  PlanRequest request;             // every path in it absolute
  std::string made;                // UTC
  std::string plan;                // SHA-256 of plan.jsonl
  std::vector<std::string> files;  // files and folders that planning read, absolute; empty: more than these decide it
  std::string stamp;               // of `files` and the plugins
};

// Beside a plan that has just been written.
void write_plan_source(const Plan& plan, const record::ExperimentLayout& experiment);

// Nothing where the file is absent or damaged, or belongs to another plan than the one in force.
std::optional<PlanSource> read_plan_source(const record::ExperimentLayout& experiment);

// True when by their sizes and times neither the files nor the plugins have changed since the plan was made.
bool is_untouched(const PlanSource& source);

}  // namespace assay::plan
