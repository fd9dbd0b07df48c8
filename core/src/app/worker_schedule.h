// Computes learning rates over the steps of runs, for `assay schedule` and for runs that share steps.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace assay::app {

// Request: {lines (plan lines), points}. Response: for each line {points, first, last, highest, digest}; a point is
// [step, learning rate, factor on weight decay], where step is the number of updates done before. The run is split into
// at most `points` equal intervals, and `points` has the step with the highest rate of each. Lines with equal rates at
// every step have equal digests. A run without steps has no points.
nlohmann::json worker_schedule(const nlohmann::json& request);

// Request: {classes: [[plan line, ..], ..]}. Response: for each class a matrix: the number of first steps at which the
// learning rates and the factors on weight decay of two lines are equal.
nlohmann::json worker_common_steps(const nlohmann::json& request);

}  // namespace assay::app
