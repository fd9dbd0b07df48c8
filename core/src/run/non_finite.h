// Where NaN or infinity came from: the step is done again, and every part of the model is looked at.
#pragma once

#include <string>
#include <vector>

#include "assay/batch.h"
#include "run/assemble.h"

namespace assay::run {

// A sentence that names, in this order of search: a parameter that was not finite before the step, the first part of
// the model or term of the loss that gave NaN or infinity, the parameter whose gradient did (of several the one nearest
// to the loss). Every rank calls it, with this replica's micro-batches as the step had them; gradients are overwritten.
std::string first_non_finite(Assembled& run, const Mesh& mesh, int64_t step, std::vector<Batch> micro_batches);

}  // namespace assay::run
