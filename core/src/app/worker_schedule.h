// Computes learning rates over the steps of runs, for `assay schedule`.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace assay::app {

// Request: {lines (plan lines), points}. Response: for each line {points, first, last, highest, digest}; a point is
// [step, learning rate, factor on weight decay], where step is the number of updates done before. The run is split into
// at most `points` equal intervals, and `points` has the step with the highest rate of each. Lines with equal rates at
// every step have equal digests. A run without steps has no points.
nlohmann::json worker_schedule(const nlohmann::json& request);

}  // namespace assay::app
