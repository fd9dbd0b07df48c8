// Tensors for the tests of operations.
#pragma once

#include <ATen/ops/empty.h>

#include "assay/random.h"
#include "assay/tensor.h"

namespace assay::nn {

inline const auto kLong = at::TensorOptions().dtype(at::kLong);

// Normal fp64 numbers, deterministic for a name.
inline Tensor drawn(at::IntArrayRef sizes, const char* name) {
  auto x = at::empty(sizes, at::TensorOptions().dtype(at::kDouble));
  const Draws draws(1, name);
  for (int64_t i = 0; i < x.numel(); ++i) x.data_ptr<double>()[i] = draws.normal(static_cast<uint64_t>(i));
  return x;
}

}  // namespace assay::nn
