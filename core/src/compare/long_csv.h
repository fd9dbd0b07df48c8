// An experiment's numbers run by run, one a line, for other programs: no means, no rounding.
#pragma once

#include <string>
#include <vector>

#include "compare/run_results.h"

namespace assay {

// label, the swept keys, seed, train_id, metric, value, unit, direction, stale: a line for every metric that a record
// holds. A value that is not finite is nan.
std::string metrics_csv(const Results& results);

// label, the swept keys, seed, train_id, step, metric, value: a line for every number of the events in force.
std::string curves_csv(const Results& results, const ExperimentLayout& experiment);

}  // namespace assay
