// The rows of a table: a group of runs, the best of several tuned groups, or several pooled groups.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compare/results/groups.h"
#include "compare/table/request.h"
#include "compare/table/tune.h"

namespace assay::compare {

struct RowSource {
  std::vector<std::size_t> groups;  // one, several for a pooled row, or the chosen one for a tuned row
  record::PlanLine line;            // a plan line whose axes identify the row
  std::optional<TunedChoice> tuned;
};

// In the order of the plan.
std::vector<RowSource> row_sources(const Results& results, const std::vector<Group>& groups,
                                   const CompareRequest& request);

// For every row the one that it is compared with, if there is exactly one: a baseline row with equal other axes.
std::vector<std::optional<std::size_t>> baselines_of(const std::vector<RowSource>& rows, const CompareRequest& request);

}  // namespace assay::compare
