// The cells of a table against the baseline's, and which row of a column is the best.
#pragma once

#include <vector>

#include "compare/table/rows.h"
#include "compare/table/table.h"

namespace assay::compare {

// Fills Cell::comparison, Row::compared_with and Row::shared. `sources` and `baselines` are those of the table's rows;
// `reported`: the seeds that cells show, all where none is named.
void compare_with_baseline(Table& table, const std::vector<RowSource>& sources,
                           const std::vector<std::optional<std::size_t>>& baselines, const std::vector<Group>& groups,
                           const std::vector<std::int64_t>& reported);

// Fills Cell::best: of a column with a direction the best mean, where a test against every other complete row, paired
// by seed, gives a p below 0.05 even times the number of the others (the best one was looked for, so Bonferroni). None
// while a run of the column failed or is to come. A row of which a run diverged, was pruned or has no such metric is
// neither a candidate nor one of the others: the mean of its remaining runs is that of the lucky ones.
void mark_best(Table& table);

}  // namespace assay::compare
