// Another run's model with its final weights, for evaluators that use a second model.
#pragma once

#include <memory>

#include "assay/evaluator.h"
#include "run/assemble.h"

namespace assay::run {

// Uses the mesh, device and thread count of `here`, whose plugins must include those of the other run. Throws UserError
// when the run has no record or no weights, or when they are not those of the reference.
std::unique_ptr<TrainedRun> other_run(const RunReference& reference, Assembled& here, const Mesh& mesh);

}  // namespace assay::run
