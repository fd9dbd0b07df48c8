// Kind "evaluator": evaluates a trained model on a split, without gradients and without dropout.
#pragma once

#include <cstdint>
#include <functional>
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
  bool available = true;                        // false: not applicable to this model (shown as n/a)
  std::string note{};                           // what a reader of the value must know; tables print it below the rows
};

// The numbers and texts of one example, for paired tests and for reading.
struct ExampleRow {
  std::string id;
  std::map<std::string, double> numbers;
  std::map<std::string, std::string> texts;
};

// Tokens after a prefix, of which those from `from` on are scored.
struct Scored {
  std::vector<int32_t> tokens;
  int64_t from = 0;
  std::vector<int64_t> positions = {};  // of each token, see Prompt::positions; empty: those after the prefix
};

// A run with its weights. The core implements it.
class TrainedRun {
 public:
  virtual ~TrainedRun() = default;
  virtual Model& model() = 0;
  virtual const Vocabulary& vocabulary() const = 0;
  virtual Forward& forward(const Batch& batch) = 0;    // valid until the next call
  virtual Objective* classifier() { return nullptr; }  // its objective that has classes; null: none
  // The gradient [B, T, D] of the loss, one number, with respect to the token embeddings, without dropout; whole on
  // every tensor rank. UserError when the model does not give its embeddings.
  virtual Tensor embedding_gradient(const Batch& batch, const std::function<Tensor(Forward&)>& loss) = 0;
  // By row of gradients [N, D], the k tokens whose embeddings have the least products with it, least first and ties by
  // id: to first order, those that lower the loss most in the place of the token whose gradient it is (HotFlip;
  // Ebrahimi et al. 2018, arXiv:1712.06751). Special tokens are left out. [N, k] int64, with fewer columns where fewer
  // tokens exist; the same on every tensor rank.
  virtual Tensor steepest_tokens(const Tensor& gradient_ND, int64_t k) = 0;
  // ln p of the scored tokens of every row, which follows the prefix. The prefix, after an end of text, is read once.
  // UserError for a model that is bidirectional or has an encoder, and for what is beyond its limit.
  virtual std::vector<std::vector<double>> log_probs(const std::vector<int32_t>& prefix,
                                                     const std::vector<Scored>& rows) = 0;
};

// The core implements it. Every tensor rank evaluates the same, and only the metrics of rank 0 are recorded. When a
// stop of the run is requested, forward, objectives and decode throw an exception, which evaluators must not catch.
class EvaluationContext {
 public:
  virtual ~EvaluationContext() = default;
  virtual Model& model() = 0;
  virtual const Vocabulary& vocabulary() const = 0;
  virtual Split split() const = 0;
  virtual const Dataset& dataset() const = 0;
  virtual int64_t training_context() const = 0;    // the context length T of training
  virtual int64_t tokens_per_forward() const = 0;  // number of tokens that a batch should have
  // Valid until the next call. hidden_layers: see ForwardOptions.
  virtual Forward& forward(const Batch& batch, const std::vector<int64_t>& hidden_layers = {}) = 0;
  virtual Objective* classifier() { return nullptr; }  // the run's objective that has classes; null: none
  // Evaluates the run's objectives on a batch of sequences, without dropout and gradients. Returns sum and weight of
  // every term and every logged metric by "<label of the objective>.<name>". Draws are keyed by the run's seed,
  // sample_id and row_id.
  virtual std::map<std::string, std::pair<double, double>> objectives(const Batch& batch) = 0;
  // The continuation of each prompt, with at most `tokens` new tokens. The prompts are decoded as one batch. Draws are
  // keyed by the run's seed. Throws UserError when the model has too few positions or is bidirectional.
  virtual std::vector<Continuation> decode(Decoder& decoder, const std::vector<Prompt>& prompts, int64_t tokens) = 0;
  virtual TrainedRun& own() = 0;  // this run
  // The run that a parameter refers to, on this run's mesh. The first call loads it. Throws UserError when that run is
  // not done or kept no weights.
  virtual TrainedRun& other(const RunReference& run) = 0;
  virtual Draws draws() const = 0;         // keyed by the run's seed and this instance
  virtual Draws common_draws() const = 0;  // keyed by the run's seed: the same in all evaluators of a run
  virtual void metric(const Metric& metric) = 0;
  virtual void example(const ExampleRow& row) = 0;
  // Reports the share of this evaluation that is done, 0 to 1. Without a report the progress display shows the number
  // of batches.
  virtual void progress(double) {}
};

// The data that an evaluation would read.
struct SplitToCheck {
  const Dataset& dataset;
  Split split;  // not empty
  const Tokenizer& tokenizer;
  int64_t training_context;
};

struct SplitFindings {
  std::vector<std::string> faults;  // reasons why it cannot be evaluated; the plan is refused
  std::vector<std::string> notes;   // sentences that the author of the experiment should read
};

class Evaluator : public Component {
 public:
  ASSAY_KIND(Evaluator, "evaluator", ASSAY_KIND_HASH_EVALUATOR);
  // Called at plan time, so that an evaluation that must fail is found before training. A pure function of
  // configuration and data.
  virtual SplitFindings check_split(const SplitToCheck&) const { return {}; }
  virtual void evaluate(EvaluationContext& context) = 0;
  // Called at plan time. Returns the names and coordinates of the metrics that evaluate will report, if they are known
  // before the evaluation. A plan that requests any other metric of this evaluator is then refused.
  virtual std::vector<Metric> planned_metrics(const Assembly&) const { return {}; }
};

}  // namespace assay
