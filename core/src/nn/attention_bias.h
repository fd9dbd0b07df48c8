// The dense form of a bias returned by checked_attention_bias, whose sizes have been checked.
#pragma once

#include "assay/positional.h"

namespace assay::nn {

// Like AttentionBias::dense, without its size checks.
Tensor dense_bias_of(const AttentionBias& bias, const AttentionContext& context);

}  // namespace assay::nn
