// Chooses the columns of a table: the requested metrics, or all evaluations found, then the cost columns.
#pragma once

#include <string>
#include <vector>

#include "compare/results/run_results.h"
#include "compare/table/table.h"

namespace assay::compare {

// A name without coordinates selects all its coordinates. An unknown name is a UserError that lists the metrics and
// suggests the nearest; before there are any records, names cannot be checked and are accepted. `all`: every metric of
// evaluations and training, not only the first dozen.
std::vector<Column> choose_columns(const Results& results, const std::vector<std::string>& metrics, bool all = false);

// Whether the metric depends on the machine and on its load.
bool is_timing(const std::string& metric);

}  // namespace assay::compare
