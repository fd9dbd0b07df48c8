// The cells of a row: what its seeds gave, and why some gave nothing.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "compare/table/rows.h"
#include "compare/table/table.h"

namespace assay::compare {

// `reported`: the seeds that count; empty: all. A pooled row has a value of a seed where every one of its groups has,
// and it is their mean.
Cell cell_of(const RowSource& source, const std::vector<Group>& groups, const Column& column,
             const std::vector<std::int64_t>& reported);

// Of each seed with how many groups of the row it is planned; a pooled row has the seeds of all.
std::map<std::int64_t, std::size_t> planned_seeds(const RowSource& source, const std::vector<Group>& groups,
                                                  const std::vector<std::int64_t>& reported);

// Of whole runs; a pooled row counts each of its groups' runs.
Count count_of(const RowSource& source, const std::vector<Group>& groups, const std::vector<std::int64_t>& reported);

}  // namespace assay::compare
