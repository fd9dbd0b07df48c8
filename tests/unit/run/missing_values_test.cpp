// Steps in which an objective has no targets: they have no value in events, means and records, on any mesh.
#include <ATen/ops/log_softmax.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "run/forward.h"
#include "run/step.h"
#include "unit/run/cocolm_run.h"
#include "unit/run/gradients.h"

namespace assay::testing {
namespace {

// Returns the steps and the report of a run that masks few tokens of short sequences, so that some steps mask none. Its
// weights do not change.
struct Sparse final : run::Observer {
  explicit Sparse(CocoLmRun& tiny) {
    for (const char* name : {"dropout", "attention_dropout", "activation_dropout"}) tiny.model()[name] = 0.0;
    tiny.line["train"]["data"]["context"] = 4;
    tiny.line["train"]["train"].merge_patch({{"steps", 200}, {"batch", 2}});
    tiny.line["train"]["optimizer"]["lr"] = 0.0;
    tiny.line["resources"]["micro_batch"] = 2;
    report = run::execute(registry(), tiny.planned(), {.run = tiny.folder.path(), .contexts = tiny.folder / "contexts"},
                          *this);
  }
  void event(const std::string& type, const json& fields) override {
    if (type == "step") steps.push_back(fields);
  }
  std::vector<json> steps;
  run::RunReport report;
};

// -ln p of the masked tokens, from the model's logits, over the last tenth of the steps: {step: mean}.
std::map<int64_t, double> mean_nll_of_masked(const CocoLmRun& tiny, int64_t begin, int64_t end) {
  std::map<int64_t, double> means;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
    const c10::NoGradGuard no_grad;
    const auto mask = run.vocabulary->special("[MASK]");
    for (int64_t step = begin; step < end; ++step) {
      auto batch = run::micro_batches(run, mesh, data, step).at(0);
      struct Prepare final : PrepareContext {
        Batch* of;
        uint64_t seed;
        Batch& batch() override { return *of; }
        Draws draws() const override { return {seed, "objective/cocolm"}; }
        Draws text_draws() const override { return {seed, "texts/cocolm"}; }
        void denominator(const std::string&, double) override {}
      } prepare;
      prepare.of = &batch;
      prepare.seed = run.data_seed;
      run.objectives[0].objective->prepare(prepare);
      const auto masked = batch.channels.at("objective.cocolm.masked");
      if (!masked.any().item<bool>()) continue;
      Batch view;
      const auto original = batch.channels.at("objective.cocolm.tokens");
      view.tokens = original.masked_fill(masked, mask);
      run::ForwardPass pass(*run.model, view, {}, run.vocabulary->size(), mesh);
      const auto nll = pass.logits().log_softmax(-1).gather(2, original.unsqueeze(2)).squeeze(2).neg();
      means[step + 1] = nll.masked_select(masked).mean().item<double>();
    }
  });
  return means;
}

TEST(MissingValues, AStepWithoutMaskedTokensHasNoLoss) {
  CocoLmRun tiny(json{{"objective", "mlm"}, {"mask_prob", 0.05}});
  const Sparse found(tiny);
  const auto expected = mean_nll_of_masked(tiny, 180, 200);
  ASSERT_GT(expected.size(), 3u);
  ASSERT_LT(expected.size(), 20u);
  double sum = 0;
  for (int64_t step = 181; step <= 200; ++step) {
    const auto& event = found.steps.at(static_cast<size_t>(step) - 1);
    ASSERT_EQ(event.at("step"), step);
    ASSERT_EQ(event.contains("loss"), expected.count(step) > 0) << step;
    EXPECT_EQ(event.at("metrics").contains("cocolm.mlm"), expected.count(step) > 0) << step;
    EXPECT_TRUE(event.at("grad_norm").is_number());
    if (!expected.count(step)) continue;
    EXPECT_NEAR(event.at("loss").get<double>(), expected.at(step), 1e-10) << step;
    sum += expected.at(step);
  }
  const double mean = sum / static_cast<double>(expected.size());
  EXPECT_NEAR(found.report.last_loss.value(), mean, 1e-10);
  EXPECT_NEAR(found.report.last_metrics.at("cocolm.mlm"), mean, 1e-10);
  // The probability that none of eight tokens is masked is 0.95 to the eighth, 0.663. With zeros for these steps the
  // mean would be a third of this one.
  const auto with_loss =
      std::count_if(found.steps.begin(), found.steps.end(), [](const json& step) { return step.contains("loss"); });
  const double share = 1 - std::pow(0.95, 8);
  EXPECT_NEAR(static_cast<double>(with_loss), 200 * share, 5 * std::sqrt(200 * share * (1 - share)));
  for (const auto& step : found.steps) EXPECT_GT(step.value("loss", 2.0), 1) << step;
  EXPECT_NEAR(mean, std::log(260), 0.5);  // the loss of an untrained network
}

// Terms that count in every step keep their values, and the mean of a term that does not is over the steps that have
// it.
TEST(MissingValues, ATermWithoutAValueDoesNotAffectTheOthers) {
  CocoLmRun tiny(json{{"objective", "rtd"}, {"mask_prob", 0.05}});
  const Sparse found(tiny);
  double copy = 0, aux = 0, steps_with_aux = 0;
  for (size_t i = 180; i < 200; ++i) {
    const auto& metrics = found.steps[i].at("metrics");
    const double copied = metrics.at("cocolm.copy"), generated = metrics.value("cocolm.aux", 0.0);
    EXPECT_NEAR(found.steps[i].at("loss").get<double>(), 50 * copied + generated, 1e-10) << i;
    copy += copied;
    aux += generated;
    steps_with_aux += metrics.contains("cocolm.aux");
  }
  ASSERT_GT(steps_with_aux, 3);
  ASSERT_LT(steps_with_aux, 20);
  EXPECT_NEAR(found.report.last_metrics.at("cocolm.copy"), copy / 20, 1e-12);
  EXPECT_NEAR(found.report.last_metrics.at("cocolm.aux"), aux / steps_with_aux, 1e-12);
  EXPECT_GT(aux / steps_with_aux, 4);  // an untrained network: about ln 260
}

// One replica has no masked token in any of its micro-batches; the step's values are those of the other.
TEST(MissingValues, ATermThatCountsOnOneReplicaHasItsValue) {
  CocoLmRun tiny(json{{"objective", "mlm"}});
  const auto half_of_padding = [](Batch& batch) {
    batch.key_mask = batch.row_id.ge(kRows / 2).unsqueeze(1).expand(batch.tokens.sizes()).contiguous();
  };
  const auto reference = gradients_of(tiny, half_of_padding);
  EXPECT_GT(reference.metrics.at("cocolm.mlm"), 1);
  EXPECT_NEAR(reference.metrics.at("cocolm.mlm"), reference.loss, 1e-12);
  tiny.mesh(1, 2);
  tiny.line["resources"]["micro_batch"] = 2;
  expect_close(reference, gradients_of(tiny, half_of_padding), 1e-11, "the first replica has nothing");
}

}  // namespace
}  // namespace assay::testing
