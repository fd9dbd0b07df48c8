// Similarities, alignment and uniformity of representations that are a known function of the text, compared with loops.
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <cmath>

#include "assay/evaluator.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// The representation of a sequence at [CLS] is its length, first letter and sum of letters; elsewhere it is the letter.
std::map<int64_t, Tensor> states_of(const Batch& batch) {
  const auto real = batch.key_mask.defined() ? batch.key_mask : batch.tokens.ge(0);
  const auto tokens = batch.tokens.masked_fill(real.logical_not(), 0).to(at::kDouble);
  auto states = at::zeros({batch.rows(), batch.length(), 3}, at::kDouble);
  states.select(2, 0).copy_(tokens);
  states.select(2, 1).fill_(2);
  auto cls = states.select(1, 0);
  const auto text = tokens.narrow(1, 1, batch.length() - 1);
  cls.select(1, 0).copy_(text.sum(1) - 300);
  cls.select(1, 1).copy_(text.select(1, 0) - 100);
  cls.select(1, 2).copy_(real.sum(1));
  return {{-1, states}};
}

using Vector = std::vector<double>;
Vector cls_of(const std::string& text) {
  double sum = -300;
  for (const char c : text) sum += c;
  return {sum, static_cast<double>(text[0]) - 100, static_cast<double>(text.size()) + 1};
}
Vector mean_of(const std::string& text) {
  double sum = 0;
  for (const char c : text) sum += c;
  return {sum / static_cast<double>(text.size()), 2, 0};
}
double cosine(const Vector& x, const Vector& y) {
  double product = 0, one = 0, other = 0;
  for (size_t i = 0; i < x.size(); ++i) product += x[i] * y[i], one += x[i] * x[i], other += y[i] * y[i];
  return product / std::sqrt(one * other);
}

TEST(Alignment, MatchesLoops) {
  for (const std::string pooling : {"cls", "mean"})
    for (const int64_t at_once : {1, 4096}) {
      FakeEvaluation context;
      context.at_once = at_once;
      context.fake_model.model_width = 3;
      context.add_special({"[CLS]", "[PAD]"});
      context.states = states_of;
      const std::vector<std::string> texts{"abcd", "efgh", "zzaa", "kbxc"};
      context.data.texts[Split::kValidation] = {"abcdefgh", "zzaa", "kbxcq"};
      // A crop of full length is the text itself.
      make<Evaluator>("alignment", {{"length", 4}, {"crop_fraction", 1.0}, {"pooling", pooling}})->evaluate(context);
      const auto value = [&](const std::string& name) {
        const auto& metric = context.metric(name, std::map<std::string, double>{});
        return metric.sum / metric.weight;
      };
      const auto vector_of = pooling == "cls" ? cls_of : mean_of;
      double cosines = 0, potential = 0;
      for (size_t i = 0; i < texts.size(); ++i)
        for (size_t j = 0; j < texts.size(); ++j) {
          if (i == j) continue;
          const double c = cosine(vector_of(texts[i]), vector_of(texts[j]));
          cosines += c / 12;
          potential += std::exp(-2 * (2 - 2 * c)) / 12;
        }
      EXPECT_NEAR(value("random_similarity"), cosines, 1e-12);
      EXPECT_NEAR(value("uniformity"), std::log(potential), 1e-12);
      EXPECT_NEAR(value("crop_similarity"), 1, 1e-12);
      EXPECT_NEAR(value("similarity_gap"), 1 - cosines, 1e-12);
      EXPECT_NEAR(value("alignment"), 0, 1e-12);
      EXPECT_EQ(named(make<Evaluator>("alignment")->planned_metrics({})), named(context.metrics));
      EXPECT_EQ(context.shares.front(), at_once == 1 ? 0.125 : 0.5);  // four texts and four crops
      EXPECT_EQ(context.shares.back(), 1);
    }
}

TEST(Alignment, CropsAreContiguous) {
  FakeEvaluation context;
  context.fake_model.model_width = 3;
  context.add_special({"[CLS]", "[PAD]"});
  context.states = states_of;
  const std::vector<std::string> texts{"abcd", "zyxw"};
  context.data.texts[Split::kValidation] = texts;
  make<Evaluator>("alignment", {{"length", 4}, {"crop_fraction", 0.75}})->evaluate(context);
  const auto& metric = context.metric("crop_similarity", std::map<std::string, double>{});
  // Each text's crop is its first three letters or its last three.
  double closest = 1;
  for (int choice = 0; choice < 4; ++choice) {
    double mean = 0;
    for (int i = 0; i < 2; ++i)
      mean += cosine(cls_of(texts[size_t(i)]), cls_of(texts[size_t(i)].substr(size_t(choice >> i & 1), 3))) / 2;
    closest = std::min(closest, std::abs(mean - metric.sum / metric.weight));
  }
  EXPECT_LT(closest, 1e-12);
  const auto& distance = context.metric("alignment", std::map<std::string, double>{});
  EXPECT_NEAR(distance.sum, 2 - 2 * metric.sum, 1e-12);
}

TEST(Alignment, RefusesInvalidConfigurations) {
  EXPECT_THAT(
      [] {
        make<Evaluator>("alignment", {{"length", 4}, {"crop_fraction", 0.2}});
      },
      ThrowsMessage<std::exception>(HasSubstr("leaves no token of a text of 4 tokens")));
  FakeEvaluation one;
  one.add_special({"[CLS]", "[PAD]"});
  one.data.texts[Split::kValidation] = {"abcd"};
  EXPECT_THAT(
      [&] {
        make<Evaluator>("alignment", {{"length", 4}})->evaluate(one);
      },
      ThrowsMessage<std::exception>(HasSubstr("there is only one text of 4 tokens")));
}

TEST(Alignment, NeedsTwoTextsAtPlanTime) {
  FakeEvaluation context;
  context.data.texts[Split::kValidation] = {"123456789"};
  const auto faults = [&](int64_t length) {
    return make<Evaluator>("alignment", {{"length", length}})
        ->check_split({context.data, Split::kValidation, context.vocabulary().tokenizer(), 16})
        .faults;
  };
  EXPECT_TRUE(faults(4).empty());
  ASSERT_EQ(faults(5).size(), 1u);
  EXPECT_NE(faults(5)[0].find("needs 2 pieces of 5 tokens, and the split 'validation' has 1"), std::string::npos);
}

}  // namespace
}  // namespace assay::testing
