// What stands below a table: units, what cannot be compared, how rows were chosen.
#pragma once

#include "compare/collect.h"
#include "compare/run_results.h"

namespace assay {

void add_notes(const Results& results, const CompareRequest& request, Table& table);

}  // namespace assay
