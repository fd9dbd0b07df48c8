// Metrics at a step on the way, such as lm.bits_per_byte@length=64,step=1000: the one thing that comparison takes from
// a run's events, for records hold the finished weights' alone.
#pragma once

#include <string>
#include <vector>

#include "compare/results/run_results.h"

namespace assay::compare {

// Puts the values of those metrics that have a step into the runs' `values`, and what they are into the metrics known.
// Runs whose events have no such value keep none.
void add_step_values(Results& results, const std::vector<std::string>& metrics);

}  // namespace assay::compare
