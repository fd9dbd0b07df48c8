// Finds the origin of NaN or infinity by repeating the step and checking every part of the model.
#pragma once

#include <string>
#include <vector>

#include "assay/batch.h"
#include "run/assemble.h"

namespace assay::run {

// Returns a sentence that names the first of these: a parameter that was not finite before the step, the first part of
// the model or term of the loss whose output contains NaN or infinity, the parameter whose gradient does (the one
// nearest to the loss). Must be called on every rank, with this replica's micro-batches of the step; overwrites
// gradients.
std::string first_non_finite(Assembled& run, const Mesh& mesh, int64_t step, std::vector<Batch> micro_batches);

}  // namespace assay::run
