// Multi-head self-attention, split by heads, with the positional scheme's hooks and an optional cache.
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <functional>
#include <limits>

#include "assay/nn.h"
#include "nn/attention_bias.h"
#include "nn/fused_attention.h"
#include "nn/heads.h"
#include "nn/watch.h"

namespace assay::nn {

HeadDivision divide_heads(const Attention::Options& options, const Mesh& mesh) {
  const auto& axis = mesh.tensor();
  if (options.head_width == 0 && options.width % options.heads != 0)
    throw UserError("width " + std::to_string(options.width) + " is not divisible by " + std::to_string(options.heads) +
                    " heads; choose a multiple");
  if (options.heads % axis.size() != 0)
    throw UserError(std::to_string(options.heads) +
                    " heads are not divisible by tensor = " + std::to_string(axis.size()) + "; choose a multiple");
  const auto heads = options.heads / axis.size();
  return {heads, heads * axis.rank(), options.head_width > 0 ? options.head_width : options.width / options.heads};
}

Attention::Attention(Parameters scope, const Options& options) : name_(scope.name()), options_(options) {
  const auto division = divide_heads(options, scope.mesh());
  heads_ = division.heads, head_begin_ = division.head_begin, head_width_ = division.head_width;
  const auto inner = options.heads * head_width_;
  qkv_ = ColumnLinear(scope.scope("qkv"), options.width, 3 * inner, options.bias, options.init_std);
  output_ = RowLinear(scope.scope("output"), inner, options.width, options.bias, options.output_std);
}

namespace {

// The mask of keys that a query must not attend to, [1 or B, 1, Q, S]; undefined when all keys are visible. It depends
// on the index in the sequence, not on positions, which may restart or repeat. Queries are the last Q of the S keys. A
// query always attends to itself, so that a row of padding gives finite numbers instead of NaN. Of the last Q keys, an
// alternative attends only to itself.
Tensor hidden_keys(int64_t Q, int64_t S, bool causal, bool alternatives, const Tensor& key_mask, at::Device device) {
  const auto options = at::TensorOptions().dtype(at::kLong).device(device);
  const auto keys_S = at::arange(S, options);
  const auto ahead_QS = keys_S.unsqueeze(0) - at::arange(S - Q, S, options).unsqueeze(1);
  Tensor hidden;
  if (alternatives)
    hidden = ahead_QS.ne(0).logical_and(keys_S.ge(S - Q)).view({1, 1, Q, S});
  else if (causal)
    hidden = ahead_QS.gt(0).view({1, 1, Q, S});
  if (key_mask.defined()) {
    const auto padded = key_mask.logical_not().view({-1, 1, 1, S}).logical_and(ahead_QS.ne(0));
    hidden = hidden.defined() ? hidden.logical_or(padded) : padded;
  }
  return hidden;
}

// Terms added to the scores q k^T / sqrt(K), and a function applied to the probabilities.
struct Scores {
  Tensor added;                                 // [1 or B, H, Q, S] or undefined
  Tensor hidden;                                // as hidden_keys
  bool only_causal = false;                     // only the causal mask; nothing is added or changed
  std::function<Tensor(const Tensor&)> change;  // of probabilities [B, H, Q, S]; empty: nothing
};

// Like watch, but a bias may mask a key with -inf.
void watch_bias(const std::string& name, const Tensor& added) {
  if (auto* watch = Watch::present()) watch->look(name, at::clamp_min(added, std::numeric_limits<float>::lowest()));
}

// The general form, computed by LibTorch: [B, H, Q, K].
Tensor general_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Scores& scores) {
  if (scores.only_causal) return at::scaled_dot_product_attention(q, k, v, {}, 0.0, /*is_causal=*/true);
  auto added = scores.added;
  if (scores.hidden.defined()) {
    if (!added.defined())
      added = at::zeros({1, 1, 1, 1}, q.options().dtype(q.scalar_type() == at::kDouble ? at::kDouble : at::kFloat));
    added = added.masked_fill(scores.hidden, -std::numeric_limits<double>::infinity());
  }
  // The fused kernel takes a mask of the dtype of the scores, which must not require gradients.
  if (!scores.change && !(added.defined() && added.requires_grad()))
    return at::scaled_dot_product_attention(
        q, k, v, added.defined() ? std::optional<Tensor>(added.to(q.scalar_type())) : std::nullopt);
  auto products = at::matmul(q, k.transpose(-1, -2)) * (1.0 / std::sqrt(static_cast<double>(q.size(-1))));
  if (added.defined()) products = products + added;
  const auto probabilities = at::softmax(products, -1);
  return at::matmul(scores.change ? scores.change(probabilities) : probabilities, v);
}

}  // namespace

Tensor Attention::operator()(const Tensor& x, const Positional& positional, const Batch& batch, const ForwardKey& key,
                             Cache* cache) const {
  const auto qkv = qkv_(x);  // of all positions; with sequence parallelism, x holds only a part of them
  const int64_t B = qkv.size(0), T = qkv.size(1), K = head_width_;
  auto [q, k, v] = split_heads(qkv.view({B, T, heads_, 3, K}));

  AttentionContext context;
  context.layer = options_.layer;
  context.head_begin = head_begin_;
  context.heads = heads_;
  context.heads_total = options_.heads;
  context.query_positions = context.key_positions = batch.positions;
  context.query_segments = context.key_segments = batch.segment;
  context.causal = options_.causal;
  context.score_type = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  std::tie(q, k) = checked_rotation(positional, q, k, context);

  Tensor key_mask = batch.key_mask;
  const bool alternatives = cache && cache->alternatives && T > 1;
  if (cache) {
    auto& layer = cache->layers.at(static_cast<size_t>(options_.layer));
    k = layer.keys = layer.keys.defined() ? at::cat({layer.keys, k}, 2) : k;
    v = layer.values = layer.values.defined() ? at::cat({layer.values, v}, 2) : v;
    context.key_positions = cache->positions;  // already include the new ones
    context.key_segments = cache->segments;
    key_mask = cache->mask;
  }
  const auto bias = checked_attention_bias(positional, context);
  const auto bias_name = positional.identity().instance + " (attention bias)";
  const bool drop = key.training && options_.dropout.rate > 0;
  Tensor out_BTD;
  const bool only_slopes = !key_mask.defined() && !bias.table_NH.defined() && !bias.dense_BHQS.defined();
  if ((only_slopes || !alternatives) && (!cache || !q.requires_grad()) &&
      fused_attention_supports(q, v, bias, context)) {
    DenseBiasAndMask extra{{}, key_mask};
    if (!only_slopes) {
      auto rest = bias;
      rest.slopes_H = Tensor();
      // Inside the guard, because the bucket function is also code of the scheme.
      extra.dense_BHQS = guard(positional, "attention_bias", [&] { return dense_bias_of(rest, context); });
    }
    for (const auto& part : {bias.slopes_H, extra.dense_BHQS})
      if (part.defined()) watch_bias(bias_name, part);
    const auto mask =
        drop ? DropoutMask(q, options_.dropout, key, batch.row_id, batch.positions, head_begin_) : DropoutMask();
    out_BTD = alternatives ? fused_attention_of_alternatives(q, k, v, bias, context)
                           : fused_attention(q, k, v, bias, context, extra, mask);
  } else {
    Scores scores;
    scores.added = guard(positional, "attention_bias", [&] { return dense_bias_of(bias, context); });
    if (scores.added.defined()) watch_bias(bias_name, scores.added);
    scores.only_causal = !cache && !key_mask.defined() && options_.causal && !scores.added.defined() && !drop;
    if (!scores.only_causal)
      scores.hidden = hidden_keys(T, k.size(2), options_.causal, alternatives, key_mask, x.device());
    if (drop)
      scores.change = [&](const Tensor& weights) {
        return dropout(weights, options_.dropout, key, batch.row_id, batch.positions, head_begin_);
      };
    out_BTD = general_attention(q, k, v, scores).transpose(1, 2).reshape({B, T, heads_ * K});
  }
  return output_(watch(name_ + " (softmax)", out_BTD));
}

Batch with_defaults(Batch batch) {
  const auto options = at::TensorOptions().dtype(at::kLong).device(batch.tokens.device());
  if (!batch.positions.defined()) batch.positions = at::arange(batch.length(), options).unsqueeze(0);
  if (!batch.row_id.defined()) batch.row_id = at::arange(batch.rows(), options);
  return batch;
}

}  // namespace assay::nn
