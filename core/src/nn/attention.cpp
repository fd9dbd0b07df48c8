// Multi-head self-attention, split by heads, with the positional scheme's hooks and an optional cache.
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <limits>

#include "assay/nn.h"

namespace assay::nn {

Attention::Attention(Parameters scope, const Options& options) : name_(scope.name()), options_(options) {
  const auto& axis = scope.mesh().tensor();
  if (options.width % options.heads != 0)
    throw UserError("a width of " + std::to_string(options.width) + " cannot be divided among " +
                    std::to_string(options.heads) + " heads; choose a multiple");
  if (options.heads % axis.size() != 0)
    throw UserError(std::to_string(options.heads) + " heads cannot be split over tensor = " +
                    std::to_string(axis.size()) + "; choose a number of heads that it divides");
  heads_ = options.heads / axis.size();
  head_begin_ = heads_ * axis.rank();
  qkv_ = ColumnLinear(scope.scope("qkv"), options.width, 3 * options.width, options.bias, options.init_std);
  output_ = RowLinear(scope.scope("output"), options.width, options.width, options.bias, options.output_std);
}

namespace {

// What a query may not see, [1 or B, 1, Q, S]; undefined when everything is visible. By place in the sequence, not by
// position: positions may restart or repeat. Queries are the last Q of the S keys. A query always sees itself, so that
// a row that is all padding gives numbers instead of NaN.
Tensor hidden_keys(int64_t Q, int64_t S, bool causal, const Tensor& key_mask, at::Device device) {
  const auto options = at::TensorOptions().dtype(at::kLong).device(device);
  const auto ahead_QS = at::arange(S, options).unsqueeze(0) - at::arange(S - Q, S, options).unsqueeze(1);
  Tensor hidden;
  if (causal) hidden = ahead_QS.gt(0).view({1, 1, Q, S});
  if (key_mask.defined()) {
    const auto padded = key_mask.logical_not().view({-1, 1, 1, S}).logical_and(ahead_QS.ne(0));
    hidden = hidden.defined() ? hidden.logical_or(padded) : padded;
  }
  return hidden;
}

}  // namespace

Tensor Attention::operator()(const Tensor& x, const Positional& positional, const Batch& batch, const ForwardKey& key,
                             Cache* cache) const {
  const int64_t B = x.size(0), T = x.size(1), K = options_.width / options_.heads;
  const auto qkv = qkv_(x).view({B, T, heads_, 3, K});
  auto q = qkv.select(3, 0).transpose(1, 2), k = qkv.select(3, 1).transpose(1, 2), v = qkv.select(3, 2).transpose(1, 2);

  AttentionContext context;
  context.layer = options_.layer;
  context.head_begin = head_begin_;
  context.heads = heads_;
  context.heads_total = options_.heads;
  context.query_positions = context.key_positions = batch.positions;
  context.query_segments = context.key_segments = batch.segment;
  context.causal = options_.causal;
  context.score_type = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  std::tie(q, k) = guard(positional, "rotate", [&] { return positional.rotate(q, k, context); });

  Tensor key_mask = batch.key_mask;
  if (cache) {
    auto& layer = cache->layers.at(static_cast<size_t>(options_.layer));
    k = layer.keys = layer.keys.defined() ? at::cat({layer.keys, k}, 2) : k;
    v = layer.values = layer.values.defined() ? at::cat({layer.values, v}, 2) : v;
    context.key_positions = cache->positions;  // the new ones are in already
    context.key_segments = cache->segments;
    key_mask = cache->mask;
  }
  // The dense form is made within the guard: a bucket function is the scheme's, too.
  auto added = guard(positional, "attention_bias", [&] { return positional.attention_bias(context).dense(context); });
  if (added.defined()) watch(positional.identity().instance + " (attention bias)", added);
  const bool drop = key.training && options_.dropout.rate > 0;
  const bool plain_causal = !added.defined() && options_.causal && !cache && !key_mask.defined();
  Tensor out;
  if (plain_causal && !drop) {
    out = at::scaled_dot_product_attention(q, k, v, {}, 0.0, /*is_causal=*/true);
  } else {
    if (const auto hidden = hidden_keys(T, k.size(2), options_.causal, key_mask, x.device()); hidden.defined()) {
      if (!added.defined()) added = at::zeros({1, 1, 1, 1}, q.options().dtype(context.score_type));
      added = added.masked_fill(hidden, -std::numeric_limits<double>::infinity());
    }
    if (drop || (added.defined() && added.requires_grad())) {
      auto scores = at::matmul(q, k.transpose(-1, -2)) * (1.0 / std::sqrt(static_cast<double>(K)));
      if (added.defined()) scores = scores + added;
      auto weights = at::softmax(scores, -1);
      if (drop) weights = dropout(weights, options_.dropout, key, batch.row_id, batch.positions, head_begin_);
      out = at::matmul(weights, v);
    } else {
      // The fused kernel takes a mask of the scores' own type.
      out = at::scaled_dot_product_attention(
          q, k, v, added.defined() ? std::optional<Tensor>(added.to(q.scalar_type())) : std::nullopt);
    }
  }
  return output_(watch(name_ + " (softmax)", out.transpose(1, 2).reshape({B, T, heads_ * K})));
}

Batch with_defaults(Batch batch) {
  const auto options = at::TensorOptions().dtype(at::kLong).device(batch.tokens.device());
  if (!batch.positions.defined()) batch.positions = at::arange(batch.length(), options).unsqueeze(0);
  if (!batch.row_id.defined()) batch.row_id = at::arange(batch.rows(), options);
  return batch;
}

}  // namespace assay::nn
