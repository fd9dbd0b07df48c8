// Small components that replace everything except the component under test: a two-layer Transformer, forty synthetic
// documents, a byte tokenizer, plain gradient descent, next-token cross entropy. All are named "stand_in".
#pragma once

#include "assay/abi.h"

namespace assay::check {

inline constexpr const char* kStandIn = "stand_in";

const AssayPlugin& stand_ins();

}  // namespace assay::check
