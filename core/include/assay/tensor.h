// The tensor type of every interface. Sources include <ATen/ops/NAME.h> for the operations that they use; <ATen/ATen.h>
// and <torch/torch.h> cost seconds per file and are not allowed here.
//
// Shape legend; the letters are suffixes of names: B batch, T time, D width, H heads on this rank, K head width,
// Q and S query and key length, V vocabulary, v this rank's slice of V.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include "assay/abi_tag.h"

// A plugin that includes this header is built for one version of LibTorch.
#undef ASSAY_PLUGIN_TAG
#define ASSAY_PLUGIN_TAG ASSAY_TENSOR_ABI_TAG

namespace assay {

using at::Tensor;

}  // namespace assay
