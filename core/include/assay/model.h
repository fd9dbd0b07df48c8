// Kind "model": tokens to hidden states to this rank's logits. Built from the layers of assay/nn.h; a model file does
// not mention ranks. Hidden states are whole on every tensor rank.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "assay/batch.h"
#include "assay/component.h"

namespace assay {

// What dropout and other draws of a forward are keyed by.
struct ForwardKey {
  bool training = false;  // dropout on
  uint64_t seed = 0;      // of the run's dropout stream
  int64_t step = 0;
  int64_t forward = 0;  // number of the forward within the step
};

struct ForwardOptions {
  ForwardKey key;
  Tensor embeddings;                   // [B, T, D] to use instead of looking tokens up; else undefined
  std::vector<int64_t> hidden_layers;  // inner layers whose output is wanted, 0 = after embedding, l = after layer l
};

struct ModelOutput {
  Tensor final_BTD;                  // after the final norm
  std::map<int64_t, Tensor> hidden;  // [B, T, D], the layers asked for
};

// Keys and values of one decode, per layer [B, H, S, K], this rank's heads. Rows can be reordered and positions undone.
class ASSAY_API Cache {
 public:
  struct Layer {
    Tensor keys, values;
  };
  std::vector<Layer> layers;
  Tensor positions;  // [B, S] int64
  Tensor segments;   // [B, S] int64 or undefined: see Batch::segment
  Tensor mask;       // [B, S] bool or undefined: false where a row was padded
  // The next tokens of a row are alternatives for one and the same place: each sees what is in the cache and itself,
  // and none of the others. All but one a row have to go, by keep, before the cache can grow again.
  bool alternatives = false;
  int64_t undecided = 0;  // so many alternatives are in, and none was kept yet
  Tensor next_segments;   // [B, T] int64, of the tokens that come next; defined when segments are to be

  int64_t length() const { return positions.defined() ? positions.size(1) : 0; }
  void rewind(int64_t n);           // drops the last n positions of every row; UserError when there are fewer
  void select(const Tensor& rows);  // [B'] int64: keeps, repeats and reorders rows
  // Of the last n positions, which were alternatives, the one that each row goes on from: choice [B] int64, 0 .. n - 1.
  // UserError when there are fewer positions.
  void keep(const Tensor& choice, int64_t n);
};

class Model : public Component {
 public:
  ASSAY_KIND(Model, "model", ASSAY_KIND_HASH_MODEL);
  virtual bool causal() const = 0;
  virtual int64_t layers() const = 0;
  virtual int64_t width() const = 0;
  // Longest input, where there is a limit.
  virtual std::optional<int64_t> limit() const { return std::nullopt; }
  virtual ModelOutput forward(const Batch& batch, const ForwardOptions& options) = 0;
  // Whether forward works on a part of the positions where it may: see nn::sequence_part.
  virtual bool splits_sequence() const { return false; }
  // Rows of the output table with its padding, all ranks together.
  virtual int64_t padded_vocabulary() const = 0;
  // This rank's slice of the logits, [.., v], of hidden states [.., D] after the final norm. Columns of padding rows
  // are there; the losses and samplers of the core mask them.
  virtual Tensor logits(const Tensor& hidden) = 0;
  // Hidden states after the final norm of new tokens [B, S] that follow the cache, which grows. No gradients.
  // mask [B, S] bool, false: padding; may be undefined. See Cache::alternatives.
  virtual ModelOutput extend(Cache& cache, const Tensor& tokens, const Tensor& mask) = 0;
  // Exact multiply-adds times two of one forward over a context of T tokens, matrix products and attention, with the
  // logits of so many of them.
  virtual double forward_flops(int64_t length, int64_t predicted) const = 0;
  // Once, before build: this model's token table is that of the model of this instance, and with `positions` so are
  // the norm after the embedding and what its positional scheme adds to embeddings. UserError where it cannot.
  virtual void share_embeddings(const std::string& instance, bool /*positions*/) {
    throw UserError("this model cannot share the embeddings of '" + instance + "'");
  }
};

}  // namespace assay
