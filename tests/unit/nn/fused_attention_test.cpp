// Fused attention against the same formula by LibTorch's own operations, with gradients: from an unmodified projection,
// from heads that a scheme has changed, with slopes, positions that differ by row, a learned bias, padding and dropout.
#include "nn/fused_attention.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "unit/nn/drawn.h"

namespace assay::nn {
namespace {

constexpr int64_t kRows = 3, kTime = 37, kHeads = 2, kWidth = 5;
constexpr DropoutSite kSite{0.3, 7};
const ForwardKey kKey{true, 11, 4, 0};

struct Setting {
  const char* name;
  bool changed, causal, dropout;
  int64_t biases = 0;  // rows of a learned bias
  bool padding = false;
};

class FusedAttention : public ::testing::TestWithParam<Setting> {};

TEST_P(FusedAttention, MatchesTheFormulaAndItsGradient) {
  const auto& variant = GetParam();
  const auto upstream = drawn({kRows, kTime, kHeads * kWidth}, "upstream"), factor = drawn({kWidth}, "factor");
  AttentionContext context;
  context.heads = kHeads;
  context.causal = variant.causal;
  context.score_type = at::kDouble;
  context.query_positions = context.key_positions =
      at::arange(kTime, kLong).unsqueeze(0) * at::arange(1, kRows + 1, kLong).unsqueeze(1);  // row b: times b + 1
  AttentionBias bias;
  bias.slopes_H = at::tensor({0.5, 0.03125}, at::kDouble);
  const auto row_id = at::arange(kRows, kLong) + 100;
  Tensor dense;  // the same for all heads where it has one row
  if (variant.biases > 0)
    dense = drawn({variant.biases, variant.biases == 1 ? 1 : kHeads, kTime, kTime}, "dense").requires_grad_(true);
  Tensor key_mask;
  if (variant.padding) {
    key_mask = at::ones({kRows, kTime}, at::kBool);
    key_mask[0].narrow(0, 30, 7).fill_(false);
    key_mask[1].fill_(false);
    key_mask[2].narrow(0, 0, 4).fill_(false);
  }

  const auto fused = [&](const Tensor& packed) {
    auto [q, k, v] = split_heads(packed);
    if (variant.changed) q = q * factor, k = k * factor;
    EXPECT_TRUE(fused_attention_supports(q, v, bias, context));
    const auto mask = variant.dropout ? DropoutMask(q, kSite, kKey, row_id, context.query_positions, 1) : DropoutMask();
    return fused_attention(q, k, v, bias, context, {dense, key_mask}, mask);
  };
  const auto plain = [&](const Tensor& packed) {
    auto q = packed.select(3, 0).transpose(1, 2), k = packed.select(3, 1).transpose(1, 2);
    if (variant.changed) q = q * factor, k = k * factor;
    auto scores = at::matmul(q, k.transpose(-1, -2)) / std::sqrt(double{kWidth}) + bias.dense(context);
    if (variant.causal)
      scores =
          scores.masked_fill(at::ones({kTime, kTime}, at::kBool).triu(1), -std::numeric_limits<double>::infinity());
    if (dense.defined()) scores = scores + dense;
    if (key_mask.defined())
      scores = scores.masked_fill(
          key_mask.logical_not().view({kRows, 1, 1, kTime}).logical_and(at::eye(kTime, at::kBool).logical_not()),
          -std::numeric_limits<double>::infinity());
    auto probabilities = at::softmax(scores, -1);
    if (variant.dropout) probabilities = dropout(probabilities, kSite, kKey, row_id, context.query_positions, 1);
    const auto out = at::matmul(probabilities, packed.select(3, 2).transpose(1, 2));
    return out.transpose(1, 2).reshape({kRows, kTime, kHeads * kWidth});
  };
  const auto run = [&](const auto& attention) {
    auto packed = drawn({kRows, kTime, kHeads, 3, kWidth}, "packed").requires_grad_(true);
    const auto out = attention(packed);
    (out * upstream).sum().backward();
    Tensor of_dense;
    if (dense.defined()) std::swap(of_dense, dense.mutable_grad());
    return std::tuple{out.detach(), packed.grad(), of_dense};
  };
  const auto [out, gradient, of_dense] = run(fused);
  const auto [expected, expected_gradient, expected_of_dense] = run(plain);
  if (dense.defined()) {
    EXPECT_LE((of_dense - expected_of_dense).abs().max().item<double>(), 1e-12);
  }
  EXPECT_LE((out - expected).abs().max().item<double>(), 1e-13);
  EXPECT_LE((gradient - expected_gradient).abs().max().item<double>(), 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Variants, FusedAttention,
                         ::testing::Values(Setting{"plain", false, true, false}, Setting{"changed", true, true, false},
                                           Setting{"symmetric", false, false, false},
                                           Setting{"dropout", false, true, true},
                                           Setting{"changed_symmetric_dropout", true, false, true},
                                           Setting{"learned", false, false, false, 1},
                                           Setting{"learned_by_row", false, true, true, kRows},
                                           Setting{"padding", false, false, false, 0, true},
                                           Setting{"padding_learned", true, true, true, 1, true}),
                         [](const auto& info) { return info.param.name; });

// Learned slopes and other dtypes use the general path.
TEST(FusedAttentionServes, OnlySupportedInputs) {
  AttentionContext context;
  context.heads = 2;
  const auto q = drawn({1, 2, 3, 4}, "q");
  AttentionBias none, learned, foreign;
  learned.slopes_H = at::tensor({0.5, 0.25}, at::kDouble).requires_grad_(true);
  foreign.slopes_H = at::tensor({0.5, 0.25, 0.125}, at::kDouble);
  EXPECT_TRUE(fused_attention_supports(q, q, none, context));
  EXPECT_FALSE(fused_attention_supports(q.to(at::kBFloat16), q.to(at::kBFloat16), none, context));
  EXPECT_FALSE(fused_attention_supports(q, q.to(at::kBFloat16), none, context));
  for (const auto* bias : {&learned, &foreign}) EXPECT_FALSE(fused_attention_supports(q, q, *bias, context));
}

}  // namespace
}  // namespace assay::nn
