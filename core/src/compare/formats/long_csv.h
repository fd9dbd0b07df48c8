// An experiment's numbers run by run, one a line, for other programs: no means, no rounding.
#pragma once

#include <string>
#include <vector>

#include "compare/results/run_results.h"

namespace assay::compare {

// label, the swept keys, seed, train_id, metric, value, unit, direction, stale: a line for every metric that a record
// holds. Values that are not finite are inf, -inf and NaN, which Python, pandas and R read.
std::string metrics_csv(const Results& results);

// label, the swept keys, seed, train_id, step, metric, value: a line for every number of the events in force, and for
// every value of an evaluation that is inf, -inf or NaN. What is null in an event has no line.
std::string curves_csv(const Results& results, const record::ExperimentLayout& experiment);

}  // namespace assay::compare
