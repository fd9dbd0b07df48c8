// y = x W^T + b, the product that takes most of the time of a step.
#pragma once

#include "assay/tensor.h"

namespace assay::nn {

// x [.., in], weight [out, in], bias [out] or undefined: y [.., out]. In fp32 on the CPU, the three products of forward
// and backward use oneDNN, whose kernels depend on the instruction set and not on the vendor of the CPU; LibTorch's own
// linear uses AVX-512 kernels only on Intel CPUs (95-105 against 205-250 GFLOP/s per core on an EPYC, Zen 5,
// 2026-11-24). A few rows without gradients, as in decoding, use kernels/few_rows; everything else uses at::linear.
Tensor affine(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace assay::nn
