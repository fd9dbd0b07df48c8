// Kind "positional": how a model knows order. Three hooks, each with a neutral default; a scheme must not be sized by
// the training length. AttentionBias declares its form, so that a kernel can use slopes without a [H, Q, S] tensor.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assay/component.h"
#include "assay/tensor.h"

namespace assay {

// The model a scheme serves; what tables are sized by. Never its training length.
struct AttentionShape {
  int64_t layers = 0, heads = 0, width = 0;  // of the whole model; a head is width / heads wide
};

// What one layer's attention looks like to a scheme, on this rank.
struct AttentionContext {
  int64_t layer = 0;
  int64_t head_begin = 0;   // global index of this rank's first head
  int64_t heads = 0;        // heads on this rank
  int64_t heads_total = 0;  // heads of the whole model: what slopes are made from
  Tensor query_positions;   // [1 or B, Q] int64
  Tensor key_positions;     // [1 or B, S] int64; queries are any subset of the keys' span (cached decoding)
  Tensor query_segments;    // [1 or B, Q] int64 or undefined
  Tensor key_segments;      // [1 or B, S] int64 or undefined
  bool causal = true;       // distance is query - key; otherwise |query - key|
  at::ScalarType score_type = at::kFloat;  // of attention scores: fp32 also under bf16 compute
};

// Added to scores that are already scaled by 1/sqrt(K). Forms that are set add up.
struct ASSAY_API AttentionBias {
  // -slope[h] * distance(query, key).
  Tensor slopes_H;
  // table[bucket(distance), h]; bucket is pure and maps int64 key - query (signed) to rows. The table may require
  // gradients; give the columns of this rank's heads.
  Tensor table_NH;
  std::function<Tensor(const Tensor& key_minus_query)> bucket;
  // A whole tensor: [1 or B, 1 or H, Q, S]; B: rows of the context's positions and segments.
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
  // Once, from the constructor of the model that owns the scheme: before build. UserError for a shape it cannot serve.
  virtual void fit(const AttentionShape&) {}
  // Once, before build: the parameters that embed uses are those of the scheme of this instance, a scheme of the same
  // kind. See Model::share_embeddings and Parameters::shared.
  virtual void share_embeddings(const std::string& /*instance*/) {}
  // Once a forward, on token embeddings: x [B, T, D], positions [1 or B, T] int64. Where the forward is sequence
  // parallel, T is this rank's part: wrap a replicated parameter that is used here in nn::sequence_parallel_parameter.
  virtual Tensor embed(const Tensor& x_BTD, const Tensor& /*positions_BT*/) const { return x_BTD; }
  // Every layer, before scores: q [B, H, Q, K] and k [B, H, Q, K] of the same new positions (context.query_positions);
  // cached keys were rotated when they were new.
  virtual std::pair<Tensor, Tensor> rotate(const Tensor& q, const Tensor& k, const AttentionContext&) const {
    return {q, k};
  }
  // Every layer.
  virtual AttentionBias attention_bias(const AttentionContext&) const { return {}; }
  // Largest number of positions the scheme can stand for, where it has one; beyond it a table's cell says n/a.
  virtual std::optional<int64_t> limit() const { return std::nullopt; }
};

// The hooks of a scheme as a model, or a scheme that holds others, should call them: what comes back has the sizes that
// it must have, or a PluginError names the scheme.
ASSAY_API Tensor checked_embedding(const Positional& scheme, const Tensor& x_BTD, const Tensor& positions_BT);
ASSAY_API std::pair<Tensor, Tensor> checked_rotation(const Positional& scheme, const Tensor& q, const Tensor& k,
                                                     const AttentionContext& context);
ASSAY_API AttentionBias checked_attention_bias(const Positional& scheme, const AttentionContext& context);

}  // namespace assay
