// Kind "positional": how a model represents positions. Three hooks, each with a neutral default. The size of a scheme
// must not depend on the context length of training. AttentionBias declares its form, so a kernel can use slopes
// without a [H, Q, S] tensor.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assay/component.h"
#include "assay/parameters.h"
#include "assay/tensor.h"

namespace assay {

// The model that a scheme belongs to. Tables take their sizes from it, never from the context length of training.
struct AttentionShape {
  int64_t layers = 0, heads = 0, width = 0;  // of the full model; the head width is width / heads
};

// The attention of one layer on this rank, as a scheme sees it.
struct AttentionContext {
  int64_t layer = 0;
  int64_t head_begin = 0;                  // global index of this rank's first head
  int64_t heads = 0;                       // heads on this rank
  int64_t heads_total = 0;                 // heads of the full model, from which slopes are computed
  Tensor query_positions;                  // [1 or B, Q] int64
  Tensor key_positions;                    // [1 or B, S] int64; queries are any subset of the keys (cached decoding)
  Tensor query_segments;                   // [1 or B, Q] int64 or undefined
  Tensor key_segments;                     // [1 or B, S] int64 or undefined
  bool causal = true;                      // true: distance is query - key; false: |query - key|
  at::ScalarType score_type = at::kFloat;  // dtype of attention scores: fp32 also with bf16 compute
};

// A bias that is added to scores already scaled by 1/sqrt(K): the sum of all forms that are set.
struct ASSAY_API AttentionBias {
  // [H]: -slope[h] * distance(query, key).
  Tensor slopes_H;
  // [N, H]: table[bucket(key - query), h], with the columns of this rank's heads. bucket is pure and maps signed int64
  // key - query to rows. The table may require gradients.
  Tensor table_NH;
  std::function<Tensor(const Tensor& key_minus_query)> bucket;
  // [1 or B, 1 or H, Q, S]: a dense tensor; B rows as in the context's positions and segments.
  Tensor dense_BHQS;

  bool empty() const { return !slopes_H.defined() && !table_NH.defined() && !dense_BHQS.defined(); }
  // The sum of all forms as one tensor [1 or B, H, Q, S] of context.score_type; undefined when empty.
  Tensor dense(const AttentionContext& context) const;
};

// query - key for causal attention, |query - key| otherwise: [1 or B, Q, S] int64.
ASSAY_API Tensor attention_distance(const AttentionContext& context);

class Positional : public Component {
 public:
  ASSAY_KIND(Positional, "positional", ASSAY_KIND_HASH_POSITIONAL);
  // Called once, from the constructor of the model that owns the scheme, before build. UserError when the scheme does
  // not support the shape.
  virtual void fit(const AttentionShape&) {}
  // Called once, before build. embed then shares the parameters of the scheme called `instance`, which is of the same
  // type. See Model::share_embeddings and Parameters::shared.
  virtual void share_embeddings(const std::string& /*instance*/) {}
  // Called once per forward with token embeddings x [B, T, D] and positions [1 or B, T] int64. In a sequence-parallel
  // forward T is this rank's part; wrap a replicated parameter that is used here in nn::sequence_parallel_parameter.
  virtual Tensor embed(const Tensor& x_BTD, const Tensor& /*positions_BT*/) const { return x_BTD; }
  // Called per layer, before the scores, with q and k [B, H, Q, K] of the same new positions (context.query_positions).
  // Cached keys were rotated when they were new.
  virtual std::pair<Tensor, Tensor> rotate(const Tensor& q, const Tensor& k, const AttentionContext&) const {
    return {q, k};
  }
  // Called per layer.
  virtual AttentionBias attention_bias(const AttentionContext&) const { return {}; }
  // The largest number of positions that the scheme supports; nullopt: no limit. Beyond it, tables show n/a.
  virtual std::optional<int64_t> limit() const { return std::nullopt; }
};

// Models, and schemes that contain others, call the hooks of a scheme by these functions. They check the sizes of the
// result and throw a PluginError that names the scheme when a size is wrong.
ASSAY_API Tensor checked_embedding(const Positional& scheme, const Tensor& x_BTD, const Tensor& positions_BT);
ASSAY_API std::pair<Tensor, Tensor> checked_rotation(const Positional& scheme, const Tensor& q, const Tensor& k,
                                                     const AttentionContext& context);
ASSAY_API AttentionBias checked_attention_bias(const Positional& scheme, const AttentionContext& context);

}  // namespace assay
