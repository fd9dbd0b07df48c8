// Learning rates over the steps of runs, at the request of `assay schedule`.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace assay::app {

// Request: {lines (plan lines), points}. Answer: for each line {points, first, last, highest, digest}; a point is
// [step, learning rate, factor on weight decay], a step the updates done before. The run is cut into at most `points`
// equal stretches, and `points` has of each the step of the highest rate; lines whose rates are the same at every step
// have one digest. A run of no steps has no points.
nlohmann::json worker_schedule(const nlohmann::json& request);

}  // namespace assay::app
