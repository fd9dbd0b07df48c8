// The tensor type of every interface. Sources include <ATen/ops/NAME.h> for the operations they use; <ATen/ATen.h>
// and <torch/torch.h> cost seconds a file and are banned here.
//
// Shape legend, used as name suffix everywhere: B batch, T time, D width, H heads on this rank, K head width,
// Q and S query and key length, V vocabulary, v this rank's slice of it.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace assay {

using at::Tensor;

}  // namespace assay
