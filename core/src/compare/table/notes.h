// The notes below a table: units, what cannot be compared, how rows were chosen.
#pragma once

#include "compare/results/run_results.h"
#include "compare/table/request.h"

namespace assay::compare {

void add_notes(const Results& results, const CompareRequest& request, Table& table);

}  // namespace assay::compare
