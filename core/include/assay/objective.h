// Kind "objective": terms of the training loss. The terms of several objectives are added. Each term is a *sum* with a
// named denominator. Denominators are global (over micro-batches and replicas) and known before any forward, so k
// micro-batches of b give the gradient of one batch of k*b.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/batch.h"
#include "assay/component.h"
#include "assay/model.h"
#include "assay/parameters.h"
#include "assay/random.h"

namespace assay {

struct Needs {
  bool causal = false;                      // requires a causal model
  bool bidirectional = false;               // requires a bidirectional model
  std::vector<int64_t> hidden_layers = {};  // inner layers, see ForwardOptions; the final layer is always available
  // The number of last tokens of a training sequence that the objective does not read, because it puts others (a [CLS])
  // before the rest. The next sequence of the epoch begins with them, so every token is read. In [0, T).
  int64_t unread = 0;
};

// One micro-batch before any forward. The core implements it.
class PrepareContext {
 public:
  virtual ~PrepareContext() = default;
  virtual Batch& batch() = 0;            // prepare may add masks, views and channels
  virtual Draws draws() const = 0;       // keyed by seed, step and this instance; substream(row_id) for a row
  virtual Draws text_draws() const = 0;  // keyed by seed and this instance; substream(sample_id) for a text
  // Adds to a named denominator of this instance. The core sums it over micro-batches and replicas.
  virtual void denominator(const std::string& name, double amount) = 0;
};

// A forward of the run's model over one batch. Each result is computed once, on request, and shared by all objectives.
class Forward {
 public:
  virtual ~Forward() = default;
  virtual const Batch& batch() const = 0;
  virtual Tensor hidden() = 0;               // [B, T, D] after the final norm, full on every tensor rank
  virtual Tensor hidden(int64_t layer) = 0;  // an inner layer that needs() lists
  virtual Tensor logits() = 0;               // [B, T, V], full vocabulary without padding
  virtual Tensor token_nll() = 0;            // [B, T] fp32 (fp64 in fp64 runs): -ln p(targets), without weights
  // The same for other hidden states [.., D] (a subset of the positions, or the output of the objective's own head)
  // with this model's output matrix: full logits [.., V], and -ln p(targets) of targets [..].
  virtual Tensor logits(const Tensor& hidden) = 0;
  virtual Tensor token_nll(const Tensor& hidden, const Tensor& targets) = 0;
  // Samples one id for each row of hidden [N, D]; returns [N] int64, without a gradient and equal on every mesh.
  // Sampled at temperature 1 with draws[n], whose index is the id; without draws, the argmax.
  virtual Tensor sample(const Tensor& hidden, const std::vector<Draws>& draws) = 0;
};

// The loss of one micro-batch. The core implements it.
class LossContext {
 public:
  virtual ~LossContext() = default;
  virtual const Batch& batch() const = 0;
  virtual Forward& forward() = 0;  // the shared forward of batch()
  // The forward of another view (a crop, a corrupted copy), cached by name. `model`: a child of this objective, which
  // is built and checkpointed with it; null: the run's model. dropout = false: as in evaluation, for instance to
  // sample. Under c10::NoGradGuard no graph is kept; such a forward needs a name of its own.
  virtual Forward& forward(const std::string& name, const Batch& view, Model* model = nullptr, bool dropout = true) = 0;
  virtual Draws draws() const = 0;                                // the same draws as in prepare
  virtual double denominator(const std::string& name) const = 0;  // global; a tiny positive number instead of 0
  // Adds weight * sum / denominator, times the objective's weight, to the loss, and logs the term by its name. When the
  // denominator is 0 the term adds nothing and has no value in this step.
  virtual void term(const std::string& name, const Tensor& sum, const std::string& denominator,
                    double weight = 1.0) = 0;
};

class Objective : public Component {
 public:
  ASSAY_KIND(Objective, "objective", ASSAY_KIND_HASH_OBJECTIVE);
  virtual Needs needs() const { return {}; }
  // true: the objective stops gradients on purpose (detached targets). The conformance kit then does not compare them
  // with finite differences.
  virtual bool stops_gradients() const { return false; }
  // FLOPs per row of a step for the objective's own forwards, with each backward counted as two forwards. nullopt: the
  // objective only uses the shared forward of the batch, which is counted once.
  virtual std::optional<double> flops(const Model& /*model*/, int64_t /*context*/) const { return std::nullopt; }
  // The labels that the objective learns to assign to whole rows; empty: it is not a classifier.
  virtual std::vector<std::string> classes() const { return {}; }
  // Of a classifier: whether a row may have several labels, or none.
  virtual bool has_several_labels() const { return false; }
  // Of a classifier: the scores [B, classes] of each row, before softmax (one label) or sigmoid (several), in the dtype
  // and on the device of the model, full on every tensor rank. The labels that it learns are the channel "label" of a
  // batch, [B, classes] fp32: 1 for every label of a row. All 0: a row without labels, which
  // says nothing where a row must have one.
  virtual Tensor class_scores(Forward& /*forward*/) { return {}; }
  virtual void prepare(PrepareContext& context) = 0;
  virtual void loss(LossContext& context) = 0;
};

}  // namespace assay
