// Collects records in a table: a row is a group, the best of several tuned groups, or several pooled groups; a cell
// holds the values of its seeds.
#pragma once

#include "compare/table/request.h"
#include "compare/table/table.h"

namespace assay::compare {

// Throws UserError (an unknown metric, a baseline that matches no row, no results) and MixedCode.
Table collect(const CompareRequest& request);

}  // namespace assay::compare
