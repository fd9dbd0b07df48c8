// Attention with kernels/attention, for tensors and autograd.
#pragma once

#include <array>

#include "assay/positional.h"
#include "nn/dropout_mask.h"

namespace assay::nn {

// Views of the queries, keys and values [B, H, T, K] of a projection [B, T, H, 3, K]. The backward pass does not copy
// either if the three gradients have the layout that fused_attention gives them.
std::array<Tensor, 3> split_heads(const Tensor& packed);

// Whether fused_attention supports this case: on the CPU, in fp32 or fp64 (the same for queries, keys and values),
// without learned slopes.
bool fused_attention_supports(const Tensor& query, const Tensor& value, const AttentionBias& bias,
                              const AttentionContext& context);

// Terms besides slopes; undefined if absent.
struct DenseBiasAndMask {
  Tensor dense_BHQS;  // [1 or B, 1 or H, Q, S], added to the scores
  Tensor key_mask;    // [B, S] bool: a key that is false is visible only to its own query
};

// dropout(softmax(q k^T / sqrt(K) - slope * distance + dense)) v, [B, Q, H * K], for q [B, H, Q, K] and k, v
// [B, H, S, K]; with a gradient if Q = S. Only the slopes of the bias are used.
Tensor fused_attention(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionBias& bias,
                       const AttentionContext& context, const DenseBiasAndMask& extra = {},
                       const DropoutMask& mask = {});

// The same for queries that are alternatives for one position (Cache::alternatives): each attends to the keys before
// the last Q and to its own key. No gradients, no bias but slopes, no padding.
Tensor fused_attention_of_alternatives(const Tensor& query, const Tensor& key, const Tensor& value,
                                       const AttentionBias& bias, const AttentionContext& context);

}  // namespace assay::nn
