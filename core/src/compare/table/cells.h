// The cells of a row: the values of its seeds, and why some seeds have none.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "compare/table/rows.h"
#include "compare/table/table.h"

namespace assay::compare {

// `reported`: the seeds that count; empty: all. A pooled row has a value of a seed if every one of its groups has one,
// and the value is their mean.
Cell cell_of(const RowSource& source, const std::vector<Group>& groups, const Column& column,
             const std::vector<std::int64_t>& reported);

// Per seed, the number of groups of the row that are planned with it; a pooled row has the seeds of all its groups.
std::map<std::int64_t, std::size_t> planned_seeds(const RowSource& source, const std::vector<Group>& groups,
                                                  const std::vector<std::int64_t>& reported);

// Counts whole runs; a pooled row counts the runs of each of its groups.
Count count_of(const RowSource& source, const std::vector<Group>& groups, const std::vector<std::int64_t>& reported);

}  // namespace assay::compare
