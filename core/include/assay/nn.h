// Tensor-parallel layers (Shoeybi et al. 2019). A model is written as for one device; the layers split and reduce.
// Parameters are named "<scope>.weight" and "<scope>.bias". Linear weights are [out, in]; each layer sets their roles.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "assay/mesh.h"
#include "assay/model.h"
#include "assay/parameters.h"
#include "assay/positional.h"
#include "assay/random.h"
#include "assay/tensor.h"

namespace assay::nn {

// Returns x, the output of the part of the model called `name`. It costs nothing, except when a step with a loss or
// gradient that was not finite is repeated to find the first part whose output contains NaN or infinity. The layers
// below watch their own outputs.
ASSAY_API Tensor watch(const std::string& name, Tensor x);

// Sequence parallelism (Korthikanti et al. 2022). In a sequence-parallel forward, x between a RowLinear or an embedding
// and the next ColumnLinear is this rank's part of the positions, [B, T / ranks, D]. In any other forward these
// functions return their argument. A model that uses them returns true from Model::splits_sequence.

// This rank's part of x, which has T positions along `dim`; the gradient is all-gathered.
ASSAY_API Tensor sequence_part(const Tensor& x, int64_t dim = 1);
// The full hidden states [B, T, D] of x [B, T / ranks, D].
ASSAY_API Tensor whole_sequence(const Tensor& x_BTD);
// A replicated parameter that is applied to a part of the positions. Each rank computes the gradient of its part, and
// these gradients are summed over the ranks once per step.
ASSAY_API Tensor sequence_parallel_parameter(const Tensor& parameter);

// y = x W^T + b with W split by output: full x [.., in], y [.., out / ranks].
class ASSAY_API ColumnLinear {
 public:
  ColumnLinear() = default;
  ColumnLinear(Parameters scope, int64_t in, int64_t out, bool bias, double init_std);
  Tensor operator()(const Tensor& x) const;

 private:
  std::string name_;
  Tensor weight_, bias_;
  const Mesh* mesh_ = nullptr;
};

// y = sum over ranks of x W^T, plus b once, with W split by input: x [.., in / ranks], full y [.., out].
class ASSAY_API RowLinear {
 public:
  RowLinear() = default;
  RowLinear(Parameters scope, int64_t in, int64_t out, bool bias, double init_std);
  Tensor operator()(const Tensor& x) const;

 private:
  std::string name_;
  Tensor weight_, bias_;
  const Mesh* mesh_ = nullptr;
};

// y = x W^T + b, replicated on every rank: for small heads on full hidden states (role kHead).
class ASSAY_API Linear {
 public:
  Linear() = default;
  Linear(Parameters scope, int64_t in, int64_t out, bool bias, double init_std);
  Tensor operator()(const Tensor& x) const;

 private:
  std::string name_;
  Tensor weight_, bias_;
};

// The token table, split by rows. The same matrix is the tied output head.
class ASSAY_API VocabularyEmbedding {
 public:
  VocabularyEmbedding() = default;
  // vocabulary: size without padding; it is padded to a multiple of `multiple`, which must not depend on the mesh.
  // role: kHead when the table only computes logits.
  VocabularyEmbedding(Parameters scope, int64_t vocabulary, int64_t multiple, int64_t width, double init_std,
                      Role role = Role::kEmbedding);
  Tensor operator()(const Tensor& tokens) const;  // [B, T] int64 -> full [B, T, D]
  Tensor logits(const Tensor& hidden) const;      // [.., D] -> [.., v], this rank's slice
  TokenTable table() const { return {weight_, begin_}; }
  int64_t padded() const { return padded_; }  // rows over all ranks
  void clear_row(int64_t id) const;           // sets the token's row to zeros

 private:
  std::string name_;
  Tensor weight_;
  int64_t begin_ = 0;  // first row on this rank
  int64_t padded_ = 0;
  const Mesh* mesh_ = nullptr;
};

class ASSAY_API LayerNorm {
 public:
  LayerNorm() = default;
  LayerNorm(Parameters scope, int64_t width, bool bias, double eps = 1e-5);
  Tensor operator()(const Tensor& x) const;

 private:
  std::string name_;
  Tensor weight_, bias_;
  double eps_ = 1e-5;
};

// x / sqrt(mean of squares + eps), times a weight per channel (Zhang and Sennrich 2019, arXiv:1910.07467).
class ASSAY_API RmsNorm {
 public:
  RmsNorm() = default;
  RmsNorm(Parameters scope, int64_t width, double eps = 1e-6);
  Tensor operator()(const Tensor& x) const;

 private:
  std::string name_;
  Tensor weight_;
  double eps_ = 1e-6;
};

// The site of a dropout; `site` is unique in the model. A mask is keyed by (seed, step, forward, site) and drawn at
// (row of the global batch, global head or 0, position, channel), so it does not depend on the mesh.
struct DropoutSite {
  double rate = 0;
  int64_t site = 0;
};
// x [B, T, D] (head_begin -1) or [B, H, Q, S]; row_id [B]; positions [1 or B, T or Q] int64.
ASSAY_API Tensor dropout(const Tensor& x, DropoutSite site, const ForwardKey& key, const Tensor& row_id,
                         const Tensor& positions, int64_t head_begin = -1);

// x / (1 + exp(-2 sqrt(2 / pi) (x + 0.044715 x^3))): GELU in its tanh form (Hendrycks and Gimpel 2016).
ASSAY_API Tensor gelu_tanh(const Tensor& x);

// Multi-head self-attention: a ColumnLinear split by heads, then a RowLinear. Q, K and V are one matrix, interleaved by
// head ([heads, 3, head width, in]), so a contiguous split is a split by heads.
class ASSAY_API Attention {
 public:
  struct Options {
    int64_t layer = 0, width = 0, heads = 0;
    bool causal = true, bias = true;
    double init_std = 0.02, output_std = 0.02;
    DropoutSite dropout;     // on attention probabilities
    int64_t head_width = 0;  // 0: width / heads
  };
  Attention() = default;
  Attention(Parameters scope, const Options& options);
  // x [B, T, D]. With a cache, x are the positions that follow the cache, and the cache's layer grows by them.
  Tensor operator()(const Tensor& x, const Positional& positional, const Batch& batch, const ForwardKey& key,
                    Cache* cache = nullptr) const;

 private:
  std::string name_;
  Options options_;
  ColumnLinear qkv_;
  RowLinear output_;
  int64_t heads_ = 0, head_begin_ = 0, head_width_ = 0;
};

// Multi-head attention from the positions of x to those of a memory, the states of an encoder. No positions enter.
class ASSAY_API CrossAttention {
 public:
  CrossAttention() = default;
  CrossAttention(Parameters scope, const Attention::Options& options);  // causal is ignored
  // Keys and values [B, H, S, K] of the memory [B, S, D].
  Cache::Layer remember(const Tensor& memory_BSD) const;
  // x [B, T, D]; mask [B, S] bool, false: padding of the memory. At least one entry of every row is true. Of the batch,
  // dropout reads positions and row_id.
  Tensor operator()(const Tensor& x, const Cache::Layer& memory, const Tensor& mask_BS, const Batch& batch,
                    const ForwardKey& key) const;

 private:
  std::string name_;
  Attention::Options options_;
  ColumnLinear query_, key_value_;
  RowLinear output_;
  int64_t heads_ = 0, head_begin_ = 0, head_width_ = 0;
};

// The batch with defaults for positions and row ids, so that layers need no checks.
ASSAY_API Batch with_defaults(Batch batch);

// The batch for Model::extend: tokens [B, T] that follow the cache. The cache's positions and mask grow by them; its
// `layers` layers grow when Attention is called. mask [B, T] bool or undefined; false: padding. Positions are
// Cache::next_positions, or count tokens without padding, so padding on the left does not shift the tokens after it.
ASSAY_API Batch extend(Cache& cache, const Tensor& tokens, const Tensor& mask, int64_t layers);

// -ln softmax(logits)[target] from this rank's slice of the logits [.., v] and targets [..], in fp32 (fp64 for fp64
// logits), by three small collectives. Global columns from `vocabulary` on are padding and count as -inf. UserError
// when the slice is not this rank's share of `padded` columns (gathered logits would count every class once per rank).
ASSAY_API Tensor vocabulary_cross_entropy(const Tensor& logits, const Tensor& targets, int64_t vocabulary,
                                          int64_t padded, const Mesh& mesh);

// Samples one id per row from this rank's slice of the logits [N, v]; returns [N] int64. The sample is the argmax of
// logit + Gumbel noise, which is a draw from the softmax (Gumbel 1954; Maddison et al. 2014, arXiv:1411.0030). The
// noise of an id is draws[n] at its index in the full vocabulary, so every mesh samples the same id. Without draws it
// is the argmax of the logits. Ties take the smallest id. vocabulary and padded: as above.
ASSAY_API Tensor sample(const Tensor& logits, const std::vector<Draws>& draws, int64_t vocabulary, int64_t padded,
                        const Mesh& mesh);

}  // namespace assay::nn
