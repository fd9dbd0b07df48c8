// Terms whose denominator is 0: for any sum, the step's loss and gradients are those of the other terms.
#include <ATen/ops/log.h>
#include <gtest/gtest.h>

#include "record/layout.h"
#include "run/checkpoint/safetensors.h"
#include "unit/run/cocolm_run.h"
#include "unit/run/gradients.h"

namespace assay::testing {
namespace {

enum class Sum { kNone, kFinite, kMeanOfNothing, kInfiniteGradient };

// -ln p of all targets, and a term without targets.
class TwoTerms final : public Objective {
 public:
  TwoTerms(Sum of_empty, bool with_targets = true) : of_empty_(of_empty), with_targets_(with_targets) {}
  void prepare(PrepareContext& context) override {
    context.denominator("targets", with_targets_ ? static_cast<double>(context.batch().targets.numel()) : 0);
    context.denominator("none", 0);
  }
  void loss(LossContext& context) override {
    if (with_targets_) context.term("nll", context.forward().token_nll().sum(), "targets");
    const auto hidden = context.forward().hidden();
    if (of_empty_ == Sum::kFinite) context.term("empty", hidden.sum(), "none");
    if (of_empty_ == Sum::kMeanOfNothing) context.term("empty", hidden.narrow(0, 0, 0).mean(), "none");
    if (of_empty_ == Sum::kInfiniteGradient) context.term("empty", (hidden * 0).sqrt().sum(), "none");
  }

 private:
  Sum of_empty_;
  bool with_targets_;
};

struct Step {
  std::optional<double> loss;
  std::map<std::string, Tensor> gradients;
  std::map<std::string, double> metrics;
  std::map<std::string, std::pair<double, double>> held_out;
};

// The first replica has `first`, the others have `rest`.
Step step_of(const TinyRun& tiny, Sum first, Sum rest, bool with_targets = true) {
  Step out;
  std::mutex mutex;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
    TwoTerms objective(mesh.data().rank() == 0 ? first : rest, with_targets);
    run.objectives = {{&objective, "two", 1.0}};
    run::Metrics metrics;
    const auto loss = run::accumulate_gradients(run, mesh, 0, run::micro_batches(run, mesh, data, 0), metrics);
    const auto values = metrics.reduced(mesh.data());
    const auto held_out = run::objective_sums(run, mesh, data.rows(0, 2, 0));
    const std::lock_guard lock(mutex);
    if (!mesh.first()) return;
    out = {loss, {}, values, held_out};
    for (const auto& parameter : run.parameters->all())
      if (parameter.value.grad().defined()) out.gradients[parameter.spec.name] = parameter.value.grad().clone();
  });
  return out;
}

void expect_same_gradients(const Step& one, const Step& other) {
  ASSERT_EQ(one.gradients.size(), other.gradients.size());
  for (const auto& [name, gradient] : one.gradients) EXPECT_TRUE(gradient.equal(other.gradients.at(name))) << name;
}

TEST(EmptyTerms, WithAnySumChangeNothing) {
  TinyRun tiny;
  for (const int replicas : {1, 2}) {
    tiny.mesh(1, replicas);
    tiny.line["resources"]["micro_batch"] = 3;
    const auto alone = step_of(tiny, Sum::kNone, Sum::kNone);
    ASSERT_GT(alone.loss.value(), 1);
    for (const auto empty : {Sum::kFinite, Sum::kMeanOfNothing, Sum::kInfiniteGradient}) {
      const auto found = step_of(tiny, empty, Sum::kFinite);
      EXPECT_EQ(found.loss.value(), alone.loss.value());
      EXPECT_EQ(found.metrics, alone.metrics);
      EXPECT_EQ(found.held_out.at("two.nll"), alone.held_out.at("two.nll"));
      EXPECT_EQ(found.held_out.at("two.empty"), (std::pair<double, double>(0, 0)));
      expect_same_gradients(found, alone);
    }
  }
}

// Every parameter that the term depends on gets a gradient of zeros, so that replicas agree on which gradients exist.
TEST(EmptyTerms, AloneGiveNoLossAndZeroGradients) {
  TinyRun tiny;
  for (const int replicas : {1, 2}) {
    tiny.mesh(1, replicas);
    tiny.line["resources"]["micro_batch"] = 3;
    for (const auto empty : {Sum::kFinite, Sum::kMeanOfNothing, Sum::kInfiniteGradient}) {
      const auto found = step_of(tiny, empty, Sum::kFinite, /*with_targets=*/false);
      EXPECT_FALSE(found.loss);
      EXPECT_GT(found.gradients.size(), 20u);
      for (const auto& [name, gradient] : found.gradients)
        EXPECT_EQ(gradient.abs().max().item<double>(), 0) << name << " " << static_cast<int>(empty);
    }
  }
}

// No token is masked in this step: gradients are zero, and AdamW multiplies weights by 1 - lr * weight_decay.
TEST(EmptyTerms, AStepWithoutTargetsIsANormalUpdate) {
  struct FirstLoss final : run::Observer {
    void event(const std::string& type, const json& fields) override {
      if (type == "step") there = fields.contains("loss");
    }
    bool there = true;
  };
  for (int seed = 1;; ++seed) {
    ASSERT_LT(seed, 20);
    CocoLmRun tiny(json{{"objective", "mlm"}, {"mask_prob", 0.05}});
    tiny.line["train"]["seeds"]["data"] = seed;
    tiny.line["train"]["data"]["context"] = 4;
    tiny.line["train"]["train"].merge_patch({{"steps", 1}, {"batch", 2}});
    tiny.line["train"]["optimizer"] = {{"use", "adamw"}, {"lr", 0.01}, {"weight_decay", 0.5}};
    tiny.line["resources"]["micro_batch"] = 2;
    tiny.line["checkpoint"] = {{"keep", "weights"}};
    FirstLoss first;
    run::execute(registry(), tiny.planned(), {.run = tiny.folder.path(), .contexts = tiny.folder / "contexts"}, first);
    if (first.there) continue;
    const run::SafetensorsFile after(record::RunLayout(tiny.folder.path()).weights());
    const std::string name = "model.layers.0.up.weight";
    tiny.on_ranks([&](run::Assembled& run, const Mesh&, data::TrainingData&) {
      for (const auto& parameter : run.parameters->all())
        if (parameter.spec.name == name) {
          const auto expected = parameter.value.detach() * (1 - 0.01 * 0.5);
          EXPECT_LE((after.read(name) - expected).abs().max().item<double>(), 1e-15);
          EXPECT_GT(expected.abs().max().item<double>(), 0.1);
          return;
        }
      ADD_FAILURE() << name;
    });
    return;
  }
}

}  // namespace
}  // namespace assay::testing
