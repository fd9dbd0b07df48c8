// What becomes a row of the table: a group of runs, the best of several tuned groups, or several pooled.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "compare/results/groups.h"
#include "compare/table/request.h"
#include "compare/table/tune.h"

namespace assay::compare {

struct RowSource {
  std::vector<std::size_t> groups;  // one; several when pooled; of a tuned row the chosen one
  nlohmann::json line;              // a plan line, its axes those that say what the row is
  std::optional<TunedChoice> tuned;
};

// In the order of the plan.
std::vector<RowSource> row_sources(const Results& results, const std::vector<Group>& groups,
                                   const CompareRequest& request);

// For every row the one that it is compared with, if there is exactly one: a baseline row with the same other axes.
std::vector<std::optional<std::size_t>> baselines_of(const std::vector<RowSource>& rows, const CompareRequest& request);

}  // namespace assay::compare
