// The losses of COCO-LM that are formulas on logits and representations.
#pragma once

#include <ATen/ops/cat.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logaddexp.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/where.h>

#include <limits>
#include <string>

#include "assay/tensor.h"

namespace assay::cocolm {

// The corrective language-modelling term at masked positions, from copy logits c [M], -ln p_lm of the original token
// [M] and whether the generator replaced it [M]. No gradient reaches c. With p0 = 1 - sigmoid(c):
//   weighted_ce   p0 * nll, as in the authors' code
//   mixture       -ln(p0 * p_lm) where replaced, else -ln(sigmoid(c) + p0 * p_lm), as in the paper
inline Tensor corrective_loss(const std::string& form, const Tensor& copy_logits, const Tensor& nll,
                              const Tensor& replaced) {
  const auto c = copy_logits.detach();
  if (form == "weighted_ce") return c.neg().sigmoid() * nll;
  const auto corrected = at::log_sigmoid(c.neg()) - nll;
  return at::where(replaced, corrected, at::logaddexp(at::log_sigmoid(c), corrected)).neg();
}

// Rows scaled to norm 1, [N, d].
inline Tensor unit_rows(const Tensor& x) {
  return x / at::linalg_vector_norm(x, 2, -1, /*keepdim=*/true).clamp_min(1e-12);
}

// Cosines of all pairs of the 2 N views of N sequences, one view of each first, then the other, [2 N, 2 N]; allowed are
// pairs within a group, except a view with itself. The partner of view i is i + N modulo 2 N.
struct Contrast {
  Tensor cosine, allowed;
};
inline Contrast contrast_of(const Tensor& one_Nd, const Tensor& other_Nd, const Tensor& group_N) {
  const auto z = unit_rows(at::cat({one_Nd, other_Nd}));
  const auto group = at::cat({group_N, group_N});
  const auto itself = at::eye(z.size(0), group.options().dtype(at::kBool));
  return {at::matmul(z, z.t()), group.unsqueeze(1).eq(group).logical_and(itself.logical_not())};
}

// Half of the sum over all views of -ln softmax(cosine / temperature, allowed pairs)[partner].
inline Tensor contrastive_loss(const Contrast& contrast, double temperature) {
  const int64_t rows = contrast.cosine.size(0);
  if (rows == 0) return contrast.cosine.sum();
  const auto logits = (contrast.cosine / temperature)
                          .masked_fill(contrast.allowed.logical_not(), -std::numeric_limits<double>::infinity());
  const auto ln_p = at::log_softmax(logits, 1);
  return (ln_p.diagonal(rows / 2).sum() + ln_p.diagonal(-(rows / 2)).sum()) * -0.5;
}

}  // namespace assay::cocolm
