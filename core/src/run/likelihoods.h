// The likelihood of many rows of tokens after one prefix.
#pragma once

#include <functional>
#include <vector>

#include "assay/evaluator.h"
#include "assay/mesh.h"
#include "run/assemble.h"

namespace assay::run {

// See TrainedRun::log_probs. before_forward(continues), if any, is called before every forward pass. What rows have in
// common at their beginning is read once.
std::vector<std::vector<double>> likelihoods(Assembled& run, const std::function<void(bool)>& before_forward,
                                             const Mesh& mesh, const std::vector<int32_t>& prefix,
                                             const std::vector<Scored>& rows);

}  // namespace assay::run
