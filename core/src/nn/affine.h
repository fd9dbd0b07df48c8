// y = x W^T + b, the product that most of a step is spent in.
#pragma once

#include "assay/tensor.h"

namespace assay::nn {

// x [.., in], weight [out, in], bias [out] or undefined: y [.., out]. In fp32 on the CPU the three products of forward
// and backward are oneDNN's, whose kernels follow the instruction set whoever made the CPU; what LibTorch's own linear
// calls there has AVX-512 kernels for Intel's alone (95-105 against 205-250 GFLOP/s a core on an EPYC, Zen 5,
// 2026-11-24). A few rows without gradients, as decoding has them, are kernels/few_rows; everything else is at::linear.
Tensor affine(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace assay::nn
