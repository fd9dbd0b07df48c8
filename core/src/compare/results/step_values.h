// Metrics at an intermediate step, such as lm.bits_per_byte@length=64,step=1000. Only these are read from a run's
// events, because records contain only the values of the final weights.
#pragma once

#include <string>
#include <vector>

#include "compare/results/run_results.h"

namespace assay::compare {

// Adds the values of the metrics that name a step to the runs' `values`, and their descriptions to the known metrics.
// Runs whose events have no such value get none.
void add_step_values(Results& results, const std::vector<std::string>& metrics);

}  // namespace assay::compare
