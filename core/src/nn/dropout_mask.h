// The description of a dropout mask, from which kernels/dropout can draw it repeatedly.
#pragma once

#include "assay/nn.h"
#include "dropout/dropout.h"

namespace torch::autograd {
struct AutogradContext;
}

namespace assay::nn {

struct DropoutMask {
  DropoutMask() = default;  // nothing is dropped
  // row_id [B] and positions [1 or B, Q] of x [B, .., Q, C]; head_begin is -1 if x has no heads.
  DropoutMask(const Tensor& x, DropoutSite site, const ForwardKey& key, const Tensor& row_id, const Tensor& positions,
              int64_t head_begin);
  kernels::dropout::Mask mask() const;

  // Pass the mask from a forward pass to its backward pass.
  void save(torch::autograd::AutogradContext& context) const;
  static DropoutMask saved(torch::autograd::AutogradContext& context);

 private:
  int64_t key_ = 0, head_begin_ = 0;
  double rate_ = 0;
  Tensor row_id_, positions_;  // [B], [B, Q], contiguous, on the device of x
};

}  // namespace assay::nn
