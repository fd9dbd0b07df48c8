// Records to table: a row is a group, or the best of several tuned ones, or several pooled; a cell the values its seeds
// gave.
#pragma once

#include "compare/table/request.h"
#include "compare/table/table.h"

namespace assay::compare {

// Throws UserError (unknown metric, a baseline that is no row, no results) and MixedCode.
Table collect(const CompareRequest& request);

}  // namespace assay::compare
