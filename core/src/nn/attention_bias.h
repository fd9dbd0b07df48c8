// The dense form of a bias that attention_bias_of has given, whose sizes are known to be right.
#pragma once

#include "assay/positional.h"

namespace assay::nn {

// As AttentionBias::dense, without its checks of sizes.
Tensor dense_of_checked(const AttentionBias& bias, const AttentionContext& context);

}  // namespace assay::nn
