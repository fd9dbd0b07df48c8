// Kind "objective": terms of the training loss. Several add up. Each term is a *sum* over what it counts, with the name
// of its denominator; denominators are global (over micro-batches and replicas) and known before any forward, so k
// micro-batches of b give the gradient of one batch of k*b.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/batch.h"
#include "assay/component.h"
#include "assay/model.h"
#include "assay/random.h"

namespace assay {

struct Needs {
  bool causal = false;                      // refuses a bidirectional model
  bool bidirectional = false;               // refuses a causal one
  std::vector<int64_t> hidden_layers = {};  // inner layers, as ForwardOptions; the final one is always there
  // How many of the last tokens of a training sequence the objective does not read, for it puts others (a [CLS]) before
  // the rest. The next sequence of an epoch begins with them, so that every token is read. In [0, T).
  int64_t unread = 0;
};

// One micro-batch before any forward. Implemented by the core.
class PrepareContext {
 public:
  virtual ~PrepareContext() = default;
  virtual Batch& batch() = 0;            // masks, views and channels may be added
  virtual Draws draws() const = 0;       // keyed by seed, step and this instance; substream(row_id) for a row's own
  virtual Draws text_draws() const = 0;  // keyed by seed and this instance; substream(sample_id) for a text's own
  // Adds to a named denominator of this instance; the core sums over micro-batches and replicas.
  virtual void denominator(const std::string& name, double amount) = 0;
};

// A forward of the run's model over one batch; what is asked for is computed once and shared by all objectives.
class Forward {
 public:
  virtual ~Forward() = default;
  virtual const Batch& batch() const = 0;
  virtual Tensor hidden() = 0;               // [B, T, D] after the final norm, whole on every tensor rank
  virtual Tensor hidden(int64_t layer) = 0;  // an inner layer that needs() named
  virtual Tensor logits() = 0;               // [B, T, V] whole, real vocabulary only
  virtual Tensor token_nll() = 0;            // [B, T] fp32 (fp64 runs: fp64): -ln p(targets), no weights applied
  // The same for chosen or changed hidden states [.., D] (some positions only, or through a head of the objective's
  // own) under this model's output matrix: whole logits [.., V], and -ln p(targets) of targets [..].
  virtual Tensor logits(const Tensor& hidden) = 0;
  virtual Tensor token_nll(const Tensor& hidden, const Tensor& targets) = 0;
  // One id for each of hidden [N, D], [N] int64, without a gradient and the same on every mesh: drawn at temperature 1
  // by draws[n], an index of which belongs to an id of the vocabulary; without draws the likeliest.
  virtual Tensor sample(const Tensor& hidden, const std::vector<Draws>& draws) = 0;
};

// One micro-batch's loss. Implemented by the core.
class LossContext {
 public:
  virtual ~LossContext() = default;
  virtual const Batch& batch() const = 0;
  virtual Forward& forward() = 0;  // of batch(), shared
  // Of another view (a crop, a corrupted copy), memoised by name. With another model (a child of this objective) if
  // given; it is built and checkpointed with the objective. dropout = false: as in evaluation, for instance to sample.
  // Under c10::NoGradGuard no graph is kept; give such a forward a name of its own.
  virtual Forward& forward(const std::string& name, const Batch& view, Model* model = nullptr, bool dropout = true) = 0;
  virtual Draws draws() const = 0;                                // the same as in prepare
  virtual double denominator(const std::string& name) const = 0;  // global; at least tiny, never zero
  // Adds sum / denominator(name) times the objective's weight to the loss, and logs it as <name of the term>. Where the
  // denominator is 0 nothing counts: the term adds nothing and has no value in this step.
  virtual void term(const std::string& name, const Tensor& sum, const std::string& denominator,
                    double weight = 1.0) = 0;
};

class Objective : public Component {
 public:
  ASSAY_KIND(Objective, "objective", ASSAY_KIND_HASH_OBJECTIVE);
  virtual Needs needs() const { return {}; }
  // True: gradients are stopped on purpose (detached targets), so that they are not those of finite differences, which
  // the conformance kit then does not ask for.
  virtual bool stops_gradients() const { return false; }
  // FLOPs of one row of a step with its own forwards, and their backwards at two forwards each. Nothing: it only uses
  // the forward of the batch that all objectives share, which is counted once.
  virtual std::optional<double> flops(const Model& /*model*/, int64_t /*context*/) const { return std::nullopt; }
  virtual void prepare(PrepareContext& context) = 0;
  virtual void loss(LossContext& context) = 0;
};

}  // namespace assay
