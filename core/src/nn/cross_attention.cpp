// Attention of a decoder to the states of an encoder, split by heads. Vaswani et al. 2017, arXiv:1706.03762,
// sec. 3.2.3. LibTorch's own attention computes it: its queries and keys differ in number, and no positional scheme
// enters.
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>

#include <cmath>
#include <limits>

#include "assay/nn.h"
#include "nn/heads.h"

namespace assay::nn {

CrossAttention::CrossAttention(Parameters scope, const Attention::Options& options)
    : name_(scope.name()), options_(options) {
  const auto division = divide_heads(options, scope.mesh());
  heads_ = division.heads, head_begin_ = division.head_begin, head_width_ = division.head_width;
  const auto inner = options.heads * head_width_;
  query_ = ColumnLinear(scope.scope("query"), options.width, inner, options.bias, options.init_std);
  // Interleaved by head, [heads, 2, head width, in], so that a contiguous split is a split by heads.
  key_value_ = ColumnLinear(scope.scope("key_value"), options.width, 2 * inner, options.bias, options.init_std);
  output_ = RowLinear(scope.scope("output"), inner, options.width, options.bias, options.output_std);
}

Cache::Layer CrossAttention::remember(const Tensor& memory_BSD) const {
  const auto packed = key_value_(memory_BSD).view({memory_BSD.size(0), memory_BSD.size(1), heads_, 2, head_width_});
  return {packed.select(3, 0).transpose(1, 2), packed.select(3, 1).transpose(1, 2)};
}

Tensor CrossAttention::operator()(const Tensor& x, const Cache::Layer& memory, const Tensor& mask_BS,
                                  const Batch& batch, const ForwardKey& key) const {
  const auto projected = query_(x);  // of all positions
  const int64_t B = projected.size(0), T = projected.size(1);
  const auto q = projected.view({B, T, heads_, head_width_}).transpose(1, 2);
  const auto mask_B11S = mask_BS.view({B, 1, 1, -1});
  Tensor out_BHTK;
  if (key.training && options_.dropout.rate > 0) {
    const auto scores_BHTS = at::matmul(q, memory.keys.transpose(-1, -2)) / std::sqrt(static_cast<double>(head_width_));
    const auto seen = scores_BHTS.masked_fill(mask_B11S.logical_not(), -std::numeric_limits<double>::infinity());
    const auto weights =
        dropout(at::softmax(seen, -1), options_.dropout, key, batch.row_id, batch.positions, head_begin_);
    out_BHTK = at::matmul(weights, memory.values);
  } else {
    out_BHTK = at::scaled_dot_product_attention(q, memory.keys, memory.values, mask_B11S);
  }
  return output_(watch(name_ + " (softmax)", out_BHTK.transpose(1, 2).reshape({B, T, heads_ * head_width_})));
}

}  // namespace assay::nn
