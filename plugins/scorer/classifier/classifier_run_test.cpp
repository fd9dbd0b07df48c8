// A classifier as a judge: probabilities of the classes that count, and the parts of a text that it blames.
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>

#include <cmath>
#include <memory>
#include <optional>

#include "assay/objective.h"
#include "assay/scorer.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

// Scores 0, and as many as the text has letters x: of classes "fine" and "foul".
class CountsX final : public FakeTrainedRun {
 public:
  struct Counting final : Objective {
    bool several = false;
    std::vector<std::string> classes() const override { return {"fine", "foul"}; }
    bool has_several_labels() const override { return several; }
    Tensor class_scores(Forward& forward) override {
      const auto& batch = forward.batch();
      const auto count_B = (batch.tokens.eq('x') & batch.key_mask).sum(1).to(at::kDouble);
      return at::stack({at::zeros_like(count_B), count_B}, 1);
    }
    void prepare(PrepareContext&) override {}
    void loss(LossContext&) override {}
  } counting;
  bool classifies = true;
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  Forward& forward(const Batch& batch) override { return *(forward_ = std::make_unique<FakeForward>(batch, nullptr)); }
  Objective* classifier() override { return classifies ? &counting : nullptr; }

 private:
  Made<Tokenizer> tokenizer_ = make<Tokenizer>("bytes");
  Vocabulary vocabulary_{*tokenizer_, 257, {{kEndOfText, 256}}};
  std::unique_ptr<FakeForward> forward_;
};

double share(double score) { return std::exp(score) / (1 + std::exp(score)); }

struct Rig {
  explicit Rig(const json& more = json::object()) {
    json parameters{{"classes", {"foul"}}};
    parameters.update(more);
    scorer.emplace("classifier", parameters);
    context.run = &run;
  }
  CountsX run;
  FakeEvaluation context;
  std::optional<Made<Scorer>> scorer;
};

TEST(ClassifierRun, ScoresAreProbabilities) {
  Rig rig;
  const auto scores = (*rig.scorer)->score(rig.context, {"axbx", "", "x", "abcdefgh"});
  const double expected[] = {share(2), 0.5, share(1), 0.5};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(scores[i], expected[i], 1e-12) << i;
  EXPECT_NEAR((*Rig(json{{"classes", {"fine", "foul"}}}).scorer)->score(rig.context, {"x"})[0], 1, 1e-12);
  EXPECT_NEAR((*Rig(json{{"max_tokens", 1}}).scorer)->score(rig.context, {"xx"})[0], share(1), 1e-12);
  rig.run.counting.several = true;
  EXPECT_NEAR((*rig.scorer)->score(rig.context, {"xx"})[0], share(2), 1e-12);
  EXPECT_NEAR((*Rig(json{{"classes", {"fine", "foul"}}}).scorer)->score(rig.context, {"xx"})[0], share(2),
              1e-12);  // the greatest
}

TEST(ClassifierRun, BlamesTheTokensWithoutWhichTheScoreFalls) {
  Rig rig;
  const auto parts = (*rig.scorer)->attribute(rig.context, "a x");
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[2].begin, 2);
  EXPECT_EQ(parts[2].end, 3);
  EXPECT_NEAR(parts[2].value, share(1) - share(0), 1e-12);
  EXPECT_EQ(parts[0].value, 0);
  EXPECT_EQ(parts[1].begin, parts[1].end);  // white space alone
  EXPECT_THAT((*rig.scorer)->attribute(rig.context, ""), IsEmpty());
}

TEST(ClassifierRun, RefusesRunsThatDoNotClassify) {
  Rig rig(json{{"classes", {"evil"}}});
  EXPECT_THAT([&] { (*rig.scorer)->score(rig.context, {"x"}); },
              ThrowsMessage<UserError>(
                  HasSubstr("'evil' is not a class of that run's classifier; its classes are fine, foul")));
  rig.run.classifies = false;
  EXPECT_THAT([&] { (*rig.scorer)->score(rig.context, {"x"}); },
              ThrowsMessage<UserError>(HasSubstr("no objective that classifies")));
  EXPECT_THAT(
      [] {
        make<Scorer>("classifier", {{"classes", json::array()}});
      },
      ThrowsMessage<PluginError>(HasSubstr("name the classes that count")));
}

}  // namespace
}  // namespace assay::testing
