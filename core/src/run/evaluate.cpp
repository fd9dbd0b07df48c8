#include "run/evaluate.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "run/decode/decode.h"
#include "run/forward.h"
#include "run/model_use.h"
#include "run/other_run.h"
#include "run/step.h"

namespace assay::run {
namespace {

class EvaluationSession final : public EvaluationContext {
 public:
  EvaluationSession(Assembled& run, const Mesh& mesh, const LabelledEvaluator& entry, const BetweenBatches& between)
      : run_(run), mesh_(mesh), entry_(entry), own_(run, run, mesh) {
    if (!between) return;
    run_.before_forward = [this, &between](bool continues) {
      progress_.continues = continues;
      between(progress_);
      ++progress_.batches;
    };
  }
  ~EvaluationSession() override { run_.before_forward = {}; }

  Model& model() override { return *run_.model; }
  const Vocabulary& vocabulary() const override { return *run_.vocabulary; }
  Split split() const override { return entry_.split; }
  const Dataset& dataset() const override {
    const auto& dataset = *run_.dataset;
    if (guard(dataset, "size", [&] { return dataset.size(entry_.split); }) == 0)
      throw UserError("evaluate '" + entry_.label + "': the dataset has no documents in its split '" +
                      std::string(name_of(entry_.split)) + "'; use another split, or divide the data differently");
    return dataset;
  }
  int64_t training_context() const override { return run_.context; }
  // A constant, because results must not depend on resources, and the last bits of a sum depend on the batch shape.
  int64_t tokens_per_forward() const override { return 4096; }
  Forward& forward(const Batch& batch, const std::vector<int64_t>& hidden_layers) override {
    ForwardOptions options;
    options.hidden_layers = hidden_layers;
    if (run_.before_forward) run_.before_forward(/*continues=*/false);
    forward_ = std::make_unique<ForwardPass>(*run_.model, batch, options, run_.vocabulary->size(), mesh_, run_.compute);
    return *forward_;
  }
  Objective* classifier() override { return run_.classifier(); }
  std::map<std::string, std::pair<double, double>> objectives(const Batch& batch) override {
    if (run_.before_forward) run_.before_forward(/*continues=*/false);
    return objective_sums(run_, mesh_, batch);
  }
  std::vector<Continuation> decode(Decoder& decoder, const std::vector<Prompt>& prompts, int64_t tokens) override {
    return assay::run::decode(run_, mesh_, decoder, {prompts, tokens, run_.data_seed});
  }
  TrainedRun& own() override { return own_; }
  TrainedRun& other(const RunReference& run) override {
    auto& known = run_.others[run.folder];
    if (!known) known = other_run(run, run_, mesh_);
    return *known;
  }
  Draws draws() const override { return Draws(run_.data_seed, "evaluate/" + entry_.label); }
  Draws common_draws() const override { return Draws(run_.data_seed, "evaluate"); }
  void metric(const Metric& metric) override {
    const char* direction = metric.direction == Direction::kLower    ? "lower"
                            : metric.direction == Direction::kHigher ? "higher"
                                                                     : "none";
    const double value = metric.available ? metric.sum / metric.weight : std::numeric_limits<double>::quiet_NaN();
    metrics.push_back(
        {metric.name, value, metric.sum, metric.weight, metric.unit, direction, metric.coordinates, metric.note});
  }
  void example(const ExampleRow& row) override { examples.push_back({row.id, row.numbers, row.texts}); }
  void progress(double share) override { progress_.share = std::clamp(share, 0.0, 1.0); }

  std::vector<record::RecordedMetric> metrics;
  std::vector<record::RecordedExample> examples;

 private:
  Assembled& run_;
  const Mesh& mesh_;
  const LabelledEvaluator& entry_;
  ModelUse own_;
  EvaluationProgress progress_;
  std::unique_ptr<ForwardPass> forward_;
};

}  // namespace

EvaluationReport evaluate(Assembled& run, const Mesh& mesh, const LabelledEvaluator& entry, int64_t step,
                          const BetweenBatches& between) {
  const c10::NoGradGuard no_grad;
  const auto begin = std::chrono::steady_clock::now();
  EvaluationSession context(run, mesh, entry, between);
  guard(*entry.evaluator, "evaluate", [&] { entry.evaluator->evaluate(context); });
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  return {entry.id, entry.label, step, std::move(context.metrics), std::move(context.examples), seconds.count()};
}

}  // namespace assay::run
