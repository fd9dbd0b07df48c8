// Kind "model": maps tokens to hidden states, and hidden states to this rank's slice of the logits. A model is built
// from the layers of assay/nn.h and does not mention ranks. Every tensor rank has the full hidden states.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "assay/batch.h"
#include "assay/component.h"
#include "assay/parameters.h"

namespace assay {

// The key of dropout and other draws of a forward.
struct ForwardKey {
  bool training = false;  // true: with dropout
  uint64_t seed = 0;      // seed of the run's dropout stream
  int64_t step = 0;
  int64_t forward = 0;  // index of the forward within the step
};

struct ForwardOptions {
  ForwardKey key;
  Tensor embeddings;  // [B, T, D], replaces the token embeddings; undefined: look the tokens up
  std::vector<int64_t>
      hidden_layers;  // inner layers whose output is requested; 0: after the embedding, l: after layer l
};

struct ModelOutput {
  Tensor final_BTD;                  // after the final norm
  std::map<int64_t, Tensor> hidden;  // [B, T, D] of the requested layers
};

// Keys and values of one decode, [B, H, S, K] per layer for this rank's heads. Rows can be reordered, and positions can
// be removed.
class ASSAY_API Cache {
 public:
  struct Layer {
    Tensor keys, values;
  };
  std::vector<Layer> layers;
  std::vector<Layer> source;  // of a model with an encoder: keys and values of the source, per layer
  Tensor source_mask;         // [B, source length] bool; false: padding
  Tensor positions;           // [B, S] int64
  Tensor segments;            // [B, S] int64 or undefined; see Batch::segment
  Tensor mask;                // [B, S] bool or undefined; false: padding
  // true: the next tokens of a row are alternatives for the same position. Each attends to the cache and itself, and
  // not to the others. keep() must select one per row before the cache can grow again.
  bool alternatives = false;
  int64_t undecided = 0;  // number of alternatives in the cache of which none is selected yet
  Tensor next_segments;   // [B, T] int64, segments of the next tokens; defined when segments are used
  Tensor next_positions;  // [B, T] int64, positions of the next tokens; undefined: those after each row's last one

  int64_t length() const { return positions.defined() ? positions.size(1) : 0; }
  void rewind(int64_t n);           // removes the last n positions of every row; UserError when there are fewer
  void select(const Tensor& rows);  // [B'] int64: selects, repeats and reorders rows
  // Keeps one of the last n positions, which are alternatives, per row: choice [B] int64 in 0 .. n - 1. UserError when
  // there are fewer positions.
  void keep(const Tensor& choice, int64_t n);
};

// A rank's rows of the token table.
struct TokenTable {
  Tensor rows_VD;     // undefined: the model does not give it
  int64_t begin = 0;  // id of the first row
};

class Model : public Component {
 public:
  ASSAY_KIND(Model, "model", ASSAY_KIND_HASH_MODEL);
  virtual bool causal() const = 0;
  virtual int64_t layers() const = 0;
  virtual int64_t width() const = 0;
  // The longest input; nullopt: no limit.
  virtual std::optional<int64_t> limit() const { return std::nullopt; }
  virtual ModelOutput forward(const Batch& batch, const ForwardOptions& options) = 0;
  // The token embeddings [B, T, D] that forward looks up: with them in ForwardOptions::embeddings it gives the same.
  // Undefined, and so token_table: the model does not give them, and gradients with respect to them cannot be asked
  // for.
  virtual Tensor embed(const Tensor& /*tokens*/) const { return {}; }
  virtual TokenTable token_table() const { return {}; }
  // true: forward supports sequence parallelism; see nn::sequence_part.
  virtual bool splits_sequence() const { return false; }
  // true: an encoder reads the source of a row, its first Batch::source_length tokens, and a decoder the rest, from the
  // last token of the source on. The hidden states before that token are zeros. extend takes all tokens that it appends
  // to an empty cache as the source, and the cache then has one position, that of its last token.
  virtual bool has_encoder() const { return false; }
  // Rows of the output table, including padding, over all ranks.
  virtual int64_t padded_vocabulary() const = 0;
  // This rank's slice of the logits [.., v] for hidden states [.., D] after the final norm. The slice includes the
  // columns of padding rows; the losses and samplers of the core mask them.
  virtual Tensor logits(const Tensor& hidden) = 0;
  // Appends new tokens [B, S] to the cache and returns their hidden states after the final norm, without gradients.
  // mask [B, S] bool or undefined; false: padding. See Cache::alternatives.
  virtual ModelOutput extend(Cache& cache, const Tensor& tokens, const Tensor& mask) = 0;
  // Exact FLOPs (twice the multiply-adds) of one forward over a sequence of `length` tokens: matrix products,
  // attention, and the logits of `predicted` tokens.
  virtual double forward_flops(int64_t length, int64_t predicted) const = 0;
  // Called once, before build. This model then shares the token table of the model named by `instance`; with
  // `positions` it also shares the norm after the embedding and the position embeddings. UserError when it cannot.
  virtual void share_embeddings(const std::string& instance, bool /*positions*/) {
    throw UserError("this model cannot share the embeddings of '" + instance + "'");
  }
};

}  // namespace assay
