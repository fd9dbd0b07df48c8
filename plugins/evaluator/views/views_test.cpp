// Likelihood by view: sums over outputs and over all tokens, the number that divides by padding, batches of rows.
#include <gmock/gmock.h>

#include <cmath>

#include "../../shared/norm_views.h"
#include "assay/evaluator.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Norms : FakeDataset {
  int64_t documents = 3;
  int64_t size(Split) const override { return documents; }
  // The situation has i + 1 letters, the RoT two.
  Document document(Split, int64_t index) const override {
    return {"",
            "d" + std::to_string(index),
            {{"situation", std::string(static_cast<size_t>(index + 1), 's')},
             {"rot", "rr"},
             {"rot-agree", "4"},
             {"rot-categorization", "advice"},
             {"rot-moral-foundations", ""}}};
  }
};

struct Context : FakeEvaluation {
  Norms norms;
  const Dataset& dataset() const override { return norms; }
  Context() {
    add_special([] {
      const auto added = norms::added_tokens();
      return std::vector<std::string>(added.begin(), added.end());
    }());
    nll = [](int64_t, int64_t target, int64_t position) {
      return target == 's' ? 8 : 0.25 * static_cast<double>(position);
    };
  }
  double value(const std::string& name) const {
    const auto& found = metric(name, std::map<std::string, double>{});
    return found.sum / found.weight;
  }
};

void evaluate(Context& context, const nlohmann::json& parameters = nlohmann::json::object()) {
  Made<Evaluator> evaluator("views", parameters);
  for (auto* component : evaluator.all()) component->bind(context.vocabulary());
  evaluator->evaluate(context);
}

TEST(Views, SumsOutputsAndAllTokensByView) {
  Context context;
  context.trained_at = 16;
  evaluate(context);
  // plain, document i: end of text, i + 1 letters s, [rot] at place i + 2, r, r and <eos>.
  double output = 0, all = 0;
  for (int i = 0; i < 3; ++i) {
    for (int t = i + 2; t < i + 5; ++t) output += 0.25 * t;
    all += 8 * (i + 1) + 0.25 * (i + 1);
  }
  EXPECT_DOUBLE_EQ(context.value("plain_nll"), output / 9);
  EXPECT_DOUBLE_EQ(context.value("plain_perplexity"), std::exp(output / 9));
  EXPECT_DOUBLE_EQ(context.value("plain_nll_all"), (output + all) / (9 + 6 + 3));
  EXPECT_DOUBLE_EQ(context.value("plain_perplexity_padded"), std::exp((output + all) / (3 * 16)));
  EXPECT_EQ(context.value("plain_tokens"), 9);
  EXPECT_EQ(context.metric("plain_perplexity_padded", std::map<std::string, double>{}).direction, Direction::kNone);
  EXPECT_NE(context.metric("plain_perplexity_padded", std::map<std::string, double>{}).note, "");
  // controlled puts [attrs] and two values before [rot].
  for (int i = 0; i < 3; ++i) output += 3 * 3 * 0.25;
  EXPECT_DOUBLE_EQ(context.value("controlled_nll"), output / 9);
  EXPECT_DOUBLE_EQ(context.value("model_choice_nll"), [] {
    double sum = 0;
    for (int i = 0; i < 3; ++i)
      for (int t = i + 2; t < i + 7; ++t) sum += 0.25 * t;
    return sum / 15;
  }());
  ASSERT_EQ(context.examples.size(), 3u);
  EXPECT_EQ(context.examples[1].id, "d1");
  EXPECT_DOUBLE_EQ(context.examples[1].numbers.at("plain_nll"), 0.25 * (3 + 4 + 5));
  EXPECT_EQ(context.examples[1].numbers.at("plain_tokens"), 3);
}

// The same values in batches of any size; a batch has the sources and the padding of its rows.
TEST(Views, BatchesDoNotMatter) {
  Context one, many, alone;
  many.at_once = 20;
  alone.at_once = 1;
  for (auto* context : {&one, &many, &alone})
    evaluate(*context, {{"transform", {{"use", "norm_views"}, {"views", "4"}}}});
  EXPECT_EQ(one.batches.size(), 1u);
  EXPECT_GT(many.batches.size(), 4u);
  ASSERT_EQ(alone.batches.size(), 12u);
  ASSERT_EQ(one.metrics.size(), many.metrics.size());
  for (size_t i = 0; i < one.metrics.size(); ++i) EXPECT_DOUBLE_EQ(one.metrics[i].sum, many.metrics[i].sum);
  const auto& batch = one.batches[0];
  EXPECT_EQ(batch.rows(), 12);
  for (int64_t row = 0; row < batch.rows(); ++row) {
    const auto source = batch.source_length[row].item<int64_t>();
    EXPECT_EQ(batch.loss_weight[row].narrow(0, 0, source - 1).sum().item<double>(), 0);
    EXPECT_EQ(batch.loss_weight[row][source - 1].item<double>(), 1);
    // Alone in its batch a row has no padding; here it has its own tokens first, and padding after them.
    const auto own = alone.batches.at(static_cast<size_t>(row)).tokens[0];
    const auto real = own.size(0);
    EXPECT_TRUE(batch.tokens[row].narrow(0, 0, real).equal(own));
    EXPECT_TRUE(batch.key_mask[row].narrow(0, 0, real).all().item<bool>());
    EXPECT_FALSE(batch.key_mask[row].narrow(0, real, batch.length() - real).any().item<bool>());
  }
}

// An encoder reads the input, so only the output has a likelihood.
TEST(Views, WithAnEncoderOnlyTheOutputIsScored) {
  struct WithEncoder : FakeModel {
    bool has_encoder() const override { return true; }
  } encoder;
  struct EncoderContext : Context {
    explicit EncoderContext(Model& model) : own(model) {}
    Model& model() override { return own; }
    Model& own;
  } context(encoder);
  evaluate(context);
  const auto available = [&](const std::string& name) {
    return context.metric(name, std::map<std::string, double>{}).available;
  };
  EXPECT_TRUE(available("plain_nll"));
  EXPECT_FALSE(available("plain_nll_all"));
  EXPECT_FALSE(available("plain_perplexity_padded"));
}

TEST(Views, NamesItsMetricsBefore) {
  Context context;
  evaluate(context);
  EXPECT_EQ(named(make<Evaluator>("views")->planned_metrics({})), named(context.metrics));
}

TEST(Views, TakesEvenlySpacedDocuments) {
  Context context;
  context.norms.documents = 10;
  evaluate(context, {{"documents", 3}});
  std::vector<std::string> ids;
  for (const auto& example : context.examples) ids.push_back(example.id);
  EXPECT_THAT(ids, ElementsAre("d0", "d3", "d6"));
}

TEST(Views, NeedsATransformThatMakesRows) {
  FakeModel model;
  Assembly assembly;
  assembly.model = &model;
  const auto findings = [&](const nlohmann::json& transform) {
    return make<Evaluator>("views", {{"transform", transform}})->validate(assembly);
  };
  EXPECT_THAT(findings({{"use", "norm_views"}}), IsEmpty());
  EXPECT_EQ(findings({{"use", "fim"}}).size(), 1u);
  model.is_causal = false;
  EXPECT_EQ(findings({{"use", "norm_views"}}).size(), 1u);
}

}  // namespace
}  // namespace assay::testing
