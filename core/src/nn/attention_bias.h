// The dense form of a bias returned by attention_bias_of, whose sizes have been checked.
#pragma once

#include "assay/positional.h"

namespace assay::nn {

// Like AttentionBias::dense, without its size checks.
Tensor dense_of_checked(const AttentionBias& bias, const AttentionContext& context);

}  // namespace assay::nn
