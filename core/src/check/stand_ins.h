// Small components for everything around the one under test: a two-layer Transformer, forty made-up documents, bytes,
// plain gradient descent, next-token cross entropy. All are named "stand_in".
#pragma once

#include "assay/abi.h"

namespace assay::check {

inline constexpr const char* kStandIn = "stand_in";

const AssayPlugin& stand_ins();

}  // namespace assay::check
