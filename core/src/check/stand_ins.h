// Small components that replace everything except the component under test: a two-layer Transformer, forty synthetic
// documents, a byte tokenizer, plain gradient descent, next-token cross entropy. All but one are named
// "stand_in".
#pragma once

#include "assay/abi.h"

namespace assay::check {

inline constexpr const char* kStandIn = "stand_in";
inline constexpr const char* kStandInClassifier = "stand_in_classifier";  // an objective, for scorers

const AssayPlugin& stand_ins();

}  // namespace assay::check
