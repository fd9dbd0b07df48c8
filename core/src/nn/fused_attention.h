// Attention by kernels/attention, bound to tensors and autograd.
#pragma once

#include <array>

#include "assay/positional.h"
#include "nn/dropout_mask.h"

namespace assay::nn {

// Queries, keys and values [B, H, T, K] of a projection [B, T, H, 3, K], without a copy; nor is there one in backward
// when the three gradients come as fused_attention makes them.
std::array<Tensor, 3> split_heads(const Tensor& packed);

// Whether fused_attention can do it: on the CPU in fp32 or fp64 (queries, keys and values alike), with no slopes that
// are learned.
bool fused_attention_serves(const Tensor& query, const Tensor& value, const AttentionBias& bias,
                            const AttentionContext& context);

// What there is besides slopes; undefined where it is not.
struct AlsoAdded {
  Tensor dense_BHQS;  // [1 or B, 1 or H, Q, S], added to the scores
  Tensor key_mask;    // [B, S] bool: no query but its own sees a key that is false
};

// dropout(softmax(q k^T / sqrt(K) - slope * distance + dense)) v, [B, Q, H * K], for q [B, H, Q, K] and k, v
// [B, H, S, K]; with a gradient where Q = S. Of the bias only the slopes count.
Tensor fused_attention(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionBias& bias,
                       const AttentionContext& context, const AlsoAdded& also = {}, const DropoutMask& mask = {});

// The same where the queries are alternatives for one place (Cache::alternatives): each sees the keys before the last Q
// and its own among these. No gradients, no bias but slopes, no padding.
Tensor fused_attention_of_alternatives(const Tensor& query, const Tensor& key, const Tensor& value,
                                       const AttentionBias& bias, const AttentionContext& context);

}  // namespace assay::nn
