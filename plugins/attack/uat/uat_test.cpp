// The trigger search on a small model: its loss and gradient against full passes and finite differences, a loss that
// never rises, the same trigger on every mesh.
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "../trigger_search.h"
#include "assay/attack.h"
#include "fakes.h"
#include "run/evaluate.h"
#include "run/forward.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

using attacks::Ids;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const std::vector<Ids> kTargets{{97, 98, 99}, {100, 97}, {98}};
const Ids kTrigger{101, 102, 99, 97};

class WithContext final : public Evaluator {
 public:
  explicit WithContext(std::function<void(EvaluationContext&)> use) : use_(std::move(use)) {
    set_identity({"test", "evaluator", "test", "evaluate.test"});
  }
  void evaluate(EvaluationContext& context) override { use_(context); }

 private:
  std::function<void(EvaluationContext&)> use_;
};

void in_evaluation(int ranks, const std::function<void(EvaluationContext&, run::Assembled&, const Mesh&)>& use) {
  TinyRun tiny;
  tiny.mesh(ranks, 1);
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    WithContext evaluator([&](EvaluationContext& context) { use(context, run, mesh); });
    run::evaluate(run, mesh, {&evaluator, "test", "test", Split::kValidation, 0, ""}, 0);
  });
}

// The loss from one full pass per target, with `change` to the embeddings of the trigger, [T, D] of the row.
double by_full_passes(run::Assembled& run, const Mesh& mesh, const Ids& trigger, double language_weight,
                      const std::function<void(Tensor&)>& change = {}) {
  const c10::NoGradGuard no_grad;
  double nats = 0, tokens = 0, own = 0;
  for (size_t y = 0; y < kTargets.size(); ++y) {
    std::vector<int64_t> ids{256};
    ids.insert(ids.end(), trigger.begin(), trigger.end());
    ids.push_back(256);
    ids.insert(ids.end(), kTargets[y].begin(), kTargets[y].end());
    const auto all = at::tensor(ids, at::kLong).unsqueeze(0);
    Batch batch;
    batch.tokens = all.narrow(1, 0, all.size(1) - 1);
    batch.targets = all.narrow(1, 1, all.size(1) - 1);
    ForwardOptions options;
    options.embeddings = run.model->embed(batch.tokens).clone();
    auto row = options.embeddings[0];
    if (change) change(row);
    run::ForwardPass pass(*run.model, batch, options, run.vocabulary->size(), mesh);
    const auto nll = values_of<double>(pass.token_nll());
    for (size_t t = trigger.size() + 1; t < nll.size(); ++t) nats += nll[t], ++tokens;
    if (y == 0)
      for (size_t t = 0; t < trigger.size(); ++t) own += nll[t];
  }
  return nats / tokens + language_weight * own / static_cast<double>(trigger.size());
}

TEST(Uat, LossesAndGradientsAreThoseOfFullPasses) {
  in_evaluation(1, [](EvaluationContext& context, run::Assembled& run, const Mesh& mesh) {
    for (const double weight : {0.0, 1.0, 0.3}) {
      const attacks::TriggerLoss loss(context, kTargets, {4, 5, 2, weight});
      for (size_t at = 0; at < kTrigger.size(); ++at) {
        const std::vector<int64_t> candidates{97, 111, kTrigger[at]};
        const auto found = loss.losses(kTrigger, at, candidates);
        for (size_t c = 0; c < candidates.size(); ++c) {
          auto changed = kTrigger;
          changed[at] = static_cast<int32_t>(candidates[c]);
          EXPECT_NEAR(found[c], by_full_passes(run, mesh, changed, weight), 1e-10) << weight << " " << at;
        }
      }
      const auto gradient = loss.gradient(kTrigger, weight > 0);
      for (const auto& [place, channel] : {std::pair{0, 3}, {1, 15}, {3, 0}}) {
        constexpr double kStep = 1e-5;
        const auto moved = [&](double step) {
          return by_full_passes(run, mesh, kTrigger, weight,
                                [&](Tensor& row_TD) { row_TD[place + 1][channel] += step; });
        };
        EXPECT_NEAR(gradient[place][channel].item<double>(), (moved(kStep) - moved(-kStep)) / (2 * kStep), 1e-8)
            << weight;
      }
      // Without the trigger's own term it is the gradient of the targets alone.
      const attacks::TriggerLoss targets_only(context, kTargets, {4, 5, 2, 0});
      const auto one = loss.gradient(kTrigger, false), other = targets_only.gradient(kTrigger, false);
      EXPECT_LE((one - other).abs().max().item<double>(), 1e-15);
    }
  });
}

TEST(Uat, TheLossNeverRisesAndEveryMeshFindsTheSame) {
  std::vector<attacks::Found> first;
  for (const int ranks : {1, 2, 4})
    in_evaluation(ranks, [&](EvaluationContext& context, run::Assembled& run, const Mesh& mesh) {
      std::vector<attacks::Found> found;
      for (const bool legacy : {false, true}) {
        const attacks::SearchOptions options{4, 12, 3, legacy ? 1.0 : 0.0, legacy};
        const attacks::TriggerLoss loss(context, kTargets, options);
        found.push_back(attacks::search(context, loss, options, kTrigger));
        const auto& one = found.back();
        const auto begin = by_full_passes(run, mesh, kTrigger, options.language_weight);
        EXPECT_LT(one.loss, begin);
        for (size_t i = 0; i < one.history.size(); ++i) EXPECT_LE(one.history[i], i == 0 ? begin : one.history[i - 1]);
        EXPECT_NEAR(one.loss, by_full_passes(run, mesh, one.trigger, options.language_weight), 1e-10);
        for (const auto id : one.trigger) EXPECT_LT(id, 256);
      }
      if (ranks == 1) {
        first = found;
        return;
      }
      for (size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i].trigger, first[i].trigger) << ranks;
    });
}

// Every place was looked at, and two more.
TEST(Uat, EndsWhenNothingChanges) {
  in_evaluation(1, [](EvaluationContext& context, run::Assembled&, const Mesh&) {
    const attacks::SearchOptions options{2, 256, 50};
    const attacks::TriggerLoss loss(context, kTargets, options);
    const auto found = attacks::search(context, loss, options, {97, 98});
    ASSERT_GT(found.history.size(), 4u);
    const auto last = found.history.size() - 1;
    EXPECT_EQ(found.history[last], found.history[last - 3]);
    // Of all tokens in one place, none lowers the loss any more.
    for (size_t at = 0; at < 2; ++at) {
      std::vector<int64_t> all;
      for (int64_t id = 0; id < 256; ++id) all.push_back(id);
      for (const auto one : loss.losses(found.trigger, at, all)) EXPECT_GE(one, found.loss - 1e-12);
    }
  });
}

TEST(Uat, NeedsTargets) {
  in_evaluation(1, [](EvaluationContext& context, run::Assembled&, const Mesh&) {
    const auto decoder = make<Decoder>("greedy");
    Speaker speaker(context, *decoder, 20, 5);
    EXPECT_THAT([&] { make<Attack>("uat")->prepare(speaker); },
                ThrowsMessage<UserError>(HasSubstr("the dataset marks no turn as toxic")));
  });
}

}  // namespace
}  // namespace assay::testing
