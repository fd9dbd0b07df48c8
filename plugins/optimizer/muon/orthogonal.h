// The Newton-Schulz iteration of Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): a matrix whose singular
// values are near 1, between about 0.7 and 1.2, and whose singular vectors are those of the given one.
#pragma once

#include <ATen/ops/matmul.h>
#include <ATen/ops/norm.h>

#include "assay/tensor.h"

namespace assay::muon {

// X = G / |G|, then `steps` times X = a X + (b A + c A^2) X with A = X X^T. Of a tall matrix the transpose is iterated,
// which makes A the smaller of the two products. In the precision of the matrix; the released code computes in bf16.
inline Tensor orthogonalized(const Tensor& matrix, int64_t steps) {
  constexpr double a = 3.4445, b = -4.7750, c = 2.0315, kEps = 1e-7;
  const bool tall = matrix.size(0) > matrix.size(1);
  auto X = tall ? matrix.t() : matrix;
  X = X / (X.norm() + kEps);
  for (int64_t step = 0; step < steps; ++step) {
    const auto A = at::matmul(X, X.t());
    X = X * a + at::matmul(A * b + at::matmul(A, A) * c, X);
  }
  return tall ? X.t() : X;
}

}  // namespace assay::muon
