// An experiment's numbers, one line per number, for other programs: no means, no rounding.
#pragma once

#include <string>
#include <vector>

#include "compare/results/run_results.h"

namespace assay::compare {

// label, the swept keys, seed, train_id, metric, value, unit, direction, stale: one line per metric of every record.
// NaN and infinity are written as inf, -inf and NaN, which Python, pandas and R read.
std::string metrics_csv(const Results& results);

// label, the swept keys, seed, train_id, step, metric, value: one line per number of the events in force, and per value
// of an evaluation that is inf, -inf or NaN. A null in an event has no line.
std::string curves_csv(const Results& results, const record::ExperimentLayout& experiment);

}  // namespace assay::compare
