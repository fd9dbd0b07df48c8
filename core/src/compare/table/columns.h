// Which columns a table has: the metrics that were asked for, or all evaluations found, then what they cost.
#pragma once

#include <string>
#include <vector>

#include "compare/results/run_results.h"
#include "compare/table/table.h"

namespace assay::compare {

// A name without coordinates stands for all its coordinates. An unknown name is a UserError that names the nearest and
// lists what exists; before there are any records, names cannot be checked and are taken as they are.
// `all`: every metric of evaluations and training, not a dozen.
std::vector<Column> choose_columns(const Results& results, const std::vector<std::string>& metrics, bool all = false);

// Does it depend on the machine and on what else that did?
bool is_timing(const std::string& metric);

}  // namespace assay::compare
