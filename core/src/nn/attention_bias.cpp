// The dense form of a declared bias, for attention that has no kernel for the form itself.
#include <ATen/ops/embedding.h>

#include "assay/positional.h"

namespace assay {

Tensor attention_distance(const AttentionContext& context) {
  const auto distance = context.query_positions.unsqueeze(-1) - context.key_positions.unsqueeze(-2);
  return context.causal ? distance : distance.abs();
}

Tensor AttentionBias::dense(const AttentionContext& context) const {
  Tensor sum;
  const auto add = [&](const Tensor& part) { sum = sum.defined() ? sum + part : part; };
  if (slopes_H.defined()) {
    if (slopes_H.dim() != 1 || slopes_H.size(0) != context.heads)
      throw UserError("slopes_H must hold the slopes of this rank's " + std::to_string(context.heads) + " heads");
    const auto distance = attention_distance(context).to(context.score_type).unsqueeze(1);  // [1 or B, 1, Q, S]
    add(slopes_H.to(context.score_type).neg().view({1, -1, 1, 1}) * distance);
  }
  if (table_NH.defined()) {
    if (!bucket || table_NH.dim() != 2 || table_NH.size(1) != context.heads)
      throw UserError("table_NH needs a bucket function and a column for each of this rank's " +
                      std::to_string(context.heads) + " heads");
    const auto difference = context.key_positions.unsqueeze(-2) - context.query_positions.unsqueeze(-1);
    add(at::embedding(table_NH, bucket(difference)).permute({0, 3, 1, 2}).to(context.score_type));
  }
  if (dense_BHQS.defined()) add(dense_BHQS.to(context.score_type));
  return sum;
}

}  // namespace assay
