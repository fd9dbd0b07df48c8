// Kind "evaluator": measures a trained model on a split, without gradients and without dropout.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "assay/batch.h"
#include "assay/component.h"
#include "assay/dataset.h"
#include "assay/decoder.h"
#include "assay/model.h"
#include "assay/objective.h"
#include "assay/random.h"

namespace assay {

enum class Direction { kLower, kHigher, kNone };  // which way is better

struct Metric {
  std::string name;            // "bits_per_byte"
  double sum = 0, weight = 1;  // value = sum / weight
  std::string unit{};          // "bits/byte"
  Direction direction = Direction::kNone;
  std::map<std::string, double> coordinates{};  // {"length": 512}
  bool available = true;                        // false: this model cannot answer (shown as n/a)
  std::string note{};                           // what a reader of the value must know; tables print it below
};

// One example's own numbers or texts, for paired tests and for reading.
struct ExampleRow {
  std::string id;
  std::map<std::string, double> numbers;
  std::map<std::string, std::string> texts;
};

// Another run with its final weights. Implemented by the core.
class TrainedRun {
 public:
  virtual ~TrainedRun() = default;
  virtual Model& model() = 0;
  virtual const Vocabulary& vocabulary() const = 0;
  virtual Forward& forward(const Batch& batch) = 0;  // valid until the next call
};

// Implemented by the core. Every tensor rank evaluates the same; only rank 0's metrics are kept. forward, objectives
// and decode leave the evaluation by an exception when the run was asked to stop; evaluators let it pass.
class EvaluationContext {
 public:
  virtual ~EvaluationContext() = default;
  virtual Model& model() = 0;
  virtual const Vocabulary& vocabulary() const = 0;
  virtual Split split() const = 0;
  virtual const Dataset& dataset() const = 0;
  virtual int64_t training_context() const = 0;    // T the model was trained at
  virtual int64_t tokens_per_forward() const = 0;  // how many tokens a batch should hold
  // Valid until the next call; hidden_layers as ForwardOptions has them.
  virtual Forward& forward(const Batch& batch, const std::vector<int64_t>& hidden_layers = {}) = 0;
  // What the run's objectives make of a batch of contexts, without dropout and gradients: every term and everything
  // that they log, as "<objective's label>.<name>": sum and weight. Draws are keyed by the run's seed, sample_id and
  // row_id.
  virtual std::map<std::string, std::pair<double, double>> objectives(const Batch& batch) = 0;
  // Text after each of the prompts, which are decoded as one batch; at most so many new tokens. Draws are keyed by the
  // run's seed. UserError when the model has not as many positions, or is bidirectional.
  virtual std::vector<Continuation> decode(Decoder& decoder, const std::vector<Prompt>& prompts, int64_t tokens) = 0;
  // A run that a parameter names, on this run's mesh; loaded when it is first asked for. UserError when it is not
  // finished or kept no weights.
  virtual TrainedRun& other(const RunReference& run) = 0;
  virtual Draws draws() const = 0;  // keyed by the run's seed and this instance
  virtual void metric(const Metric& metric) = 0;
  virtual void example(const ExampleRow& row) = 0;
  // The share of this evaluation that is done, 0 to 1, for the display of progress. Without it progress shows the
  // number of batches.
  virtual void progress(double) {}
};

// What an evaluation would read.
struct SplitToCheck {
  const Dataset& dataset;
  Split split;  // not empty
  const Tokenizer& tokenizer;
  int64_t training_context;
};

struct SplitFindings {
  std::vector<std::string> faults;  // why it cannot be evaluated: refused
  std::vector<std::string> notes;   // what the author of the experiment should know
};

class Evaluator : public Component {
 public:
  ASSAY_KIND(Evaluator, "evaluator", ASSAY_KIND_HASH_EVALUATOR);
  // At plan time, so that nobody trains for an evaluation that fails: a pure function of configuration and data.
  virtual SplitFindings check_split(const SplitToCheck&) const { return {}; }
  virtual void evaluate(EvaluationContext& context) = 0;
  // At plan time: the metrics that evaluate will give, by name and coordinates, where these are known before anything
  // is evaluated. An experiment that asks this evaluator for another one is then refused when it is planned.
  virtual std::vector<Metric> planned_metrics(const Assembly&) const { return {}; }
};

}  // namespace assay
