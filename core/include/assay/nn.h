// Tensor-parallel layers (Shoeybi et al. 2019). A model is written as for one device; the layers split and reduce.
// Names of parameters: "<scope>.weight", "<scope>.bias". Linear weights are [out, in]; each layer sets their roles.
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

// x, which is what the part of the model of that name gave. Costs nothing, except when a step whose loss or gradient
// was not finite is done again to find the first part that gave NaN or infinity. The layers below watch themselves.
ASSAY_API Tensor watch(const std::string& name, Tensor x);

// Sequence parallelism (Korthikanti et al. 2022). In a forward that does it, x between a RowLinear or an embedding and
// the next ColumnLinear is this rank's part of the positions, [B, T / ranks, D]; elsewhere these give back what they
// are given. A model says Model::splits_sequence when it uses them.
// Of something whole with T positions along `dim`, this rank's; the gradient is whole.
ASSAY_API Tensor sequence_part(const Tensor& x, int64_t dim = 1);
// Hidden states for those who ask, [B, T, D].
ASSAY_API Tensor whole_sequence(const Tensor& x_BTD);
// A replicated parameter that is used on x: each rank sees the gradient of its part, and they are summed once a step.
ASSAY_API Tensor sequence_parallel_parameter(const Tensor& parameter);

// y = x W^T + b with W split by output: x [.., in] whole, y [.., out / ranks].
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

// y = sum over ranks of x W^T, + b once: x [.., in / ranks], y [.., out] whole.
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

// y = x W^T + b, the same on every rank: for small heads of whole hidden states (role kHead).
class ASSAY_API Linear {
 public:
  Linear() = default;
  Linear(Parameters scope, int64_t in, int64_t out, bool bias, double init_std);
  Tensor operator()(const Tensor& x) const;

 private:
  std::string name_;
  Tensor weight_, bias_;
};

// Token table split by rows; the same matrix gives the tied output head.
class ASSAY_API VocabularyEmbedding {
 public:
  VocabularyEmbedding() = default;
  // vocabulary: real size; padded to a multiple of `multiple`, which must not depend on the mesh. role: kHead where it
  // gives logits alone.
  VocabularyEmbedding(Parameters scope, int64_t vocabulary, int64_t multiple, int64_t width, double init_std,
                      Role role = Role::kEmbedding);
  Tensor operator()(const Tensor& tokens) const;  // [B, T] int64 -> [B, T, D] whole
  Tensor logits(const Tensor& hidden) const;      // [.., D] -> [.., v] this rank's slice
  int64_t padded() const { return padded_; }      // rows on all ranks together
  void clear_row(int64_t id) const;               // the token's row starts as zeros

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

// Where a dropout mask stands: `site` differs for every dropout of the model. Masks are keyed by (seed, step, forward,
// site) and drawn at (row of the global batch, global head or 0, position, channel), so they depend on no mesh.
struct DropoutSite {
  double rate = 0;
  int64_t site = 0;
};
// x [B, T, D] (head_begin -1) or [B, H, Q, S]; row_id [B]; positions [1 or B, T or Q] int64.
ASSAY_API Tensor dropout(const Tensor& x, DropoutSite site, const ForwardKey& key, const Tensor& row_id,
                         const Tensor& positions, int64_t head_begin = -1);

// x / (1 + exp(-2 sqrt(2 / pi) (x + 0.044715 x^3))): GELU in its tanh form (Hendrycks and Gimpel 2016).
ASSAY_API Tensor gelu_tanh(const Tensor& x);

// Multi-head self-attention: columns by heads, then rows. Q, K and V are one matrix, interleaved by head
// ([heads, 3, head width, in]), so that a contiguous split is a split by heads.
class ASSAY_API Attention {
 public:
  struct Options {
    int64_t layer = 0, width = 0, heads = 0;
    bool causal = true, bias = true;
    double init_std = 0.02, output_std = 0.02;
    DropoutSite dropout;  // on attention probabilities
  };
  Attention() = default;
  Attention(Parameters scope, const Options& options);
  // x [B, T, D]. With a cache, x are new positions that follow it, and the cache's layer grows by them.
  Tensor operator()(const Tensor& x, const Positional& positional, const Batch& batch, const ForwardKey& key,
                    Cache* cache = nullptr) const;

 private:
  std::string name_;
  Options options_;
  ColumnLinear qkv_;
  RowLinear output_;
  int64_t heads_ = 0, head_begin_ = 0;
};

// Batch positions and row ids with their defaults filled in, so that layers need not ask.
ASSAY_API Batch with_defaults(Batch batch);

// What Model::extend runs on: tokens [B, T] behind those of the cache, whose positions and mask grow by them; its
// layers grow in the layers' own calls, and there will be `layers` of them. mask [B, T] bool, true where real, or
// undefined: positions count real tokens, so that padding on the left does not shift what follows.
ASSAY_API Batch extend(Cache& cache, const Tensor& tokens, const Tensor& mask, int64_t layers);

// -ln softmax(logits)[target] from this rank's slice of the logits [.., v] and targets [..], in fp32 (fp64 stays);
// three small collectives. Columns from `vocabulary` on (global) are padding and count as -inf. UserError when the
// slice is not this rank's share of `padded` columns (gathered logits would count every class once a rank).
ASSAY_API Tensor vocabulary_cross_entropy(const Tensor& logits, const Tensor& targets, int64_t vocabulary,
                                          int64_t padded, const Mesh& mesh);

// One id for each row of this rank's slice of the logits [N, v], [N] int64: the largest of logit + Gumbel noise, which
// is a draw from the softmax (Gumbel 1954; Maddison et al. 2014, arXiv:1411.0030), with noise draws[n] at the id's
// place in the whole vocabulary, so that all ranks have the id that one alone would have. No draws: no noise, the
// likeliest. Of equals the first. vocabulary and padded as above.
ASSAY_API Tensor sample(const Tensor& logits, const std::vector<Draws>& draws, int64_t vocabulary, int64_t padded,
                        const Mesh& mesh);

}  // namespace assay::nn
