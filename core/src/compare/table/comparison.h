// Compares the cells of a table with the baseline's, and finds the best row of each column.
#pragma once

#include <vector>

#include "compare/table/rows.h"
#include "compare/table/table.h"

namespace assay::compare {

// Fills Cell::comparison, Row::compared_with and Row::shared. `sources` and `baselines` belong to the table's rows;
// `reported`: the seeds that cells show, or all if it is empty.
void compare_with_baseline(Table& table, const std::vector<RowSource>& sources,
                           const std::vector<std::optional<std::size_t>>& baselines, const std::vector<Group>& groups,
                           const std::vector<std::int64_t>& reported);

// Fills Cell::best: in a column with a direction, the best mean, if a test against every other complete row, paired by
// seed, has a p below 0.05 after multiplication by the number of the others (Bonferroni, because the best row was
// selected). None while a run of the column has failed or is pending. A row with a run that diverged, was pruned or has
// no such metric is neither a candidate nor one of the others, because the mean of its remaining runs is biased.
void mark_best(Table& table);

}  // namespace assay::compare
