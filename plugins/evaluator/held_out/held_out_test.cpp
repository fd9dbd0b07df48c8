// The batches that objectives get, and how their sums become metrics.
#include <gmock/gmock.h>

#include "assay/evaluator.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(HeldOut, SumsTheObjectivesTerms) {
  FakeEvaluation context;
  context.trained_at = 4;
  std::string text;
  for (int i = 0; i < 5 * 18; ++i) text += static_cast<char>('a' + i % 26);
  context.data.texts[Split::kValidation] = {text};
  context.objective_sums = [](const Batch& batch) {
    std::map<std::string, std::pair<double, double>> sums;
    sums["mle.nll"] = {batch.targets.sum().item<double>(), double(batch.targets.numel())};
    sums["mle.rare"] = {0, 0};
    if (batch.rows() == 2) sums["mle.rare"] = {7, 2};
    return sums;
  };
  make<Evaluator>("held_out")->evaluate(context);
  ASSERT_EQ(context.batches.size(), 2u);  // 16 rows, then two
  EXPECT_EQ(context.batches[0].rows(), 16);
  EXPECT_THAT(values_of<int64_t>(context.batches[1].sample_id), ElementsAre(16, 17));
  EXPECT_THAT(values_of<int64_t>(context.batches[1].row_id), ElementsAre(16, 17));
  double targets = 0;  // all tokens but the first of each piece of five
  for (int i = 0; i < 5 * 18; ++i) targets += i % 5 == 0 ? 0 : 'a' + i % 26;
  const auto& nll = context.metric("mle.nll", std::map<std::string, double>{});
  EXPECT_EQ(nll.sum, targets);
  EXPECT_EQ(nll.weight, 18 * 4);
  const auto& rare = context.metric("mle.rare", std::map<std::string, double>{});
  EXPECT_EQ(rare.sum / rare.weight, 3.5);
  for (int64_t row = 0; row < 16; ++row)
    for (int64_t t = 0; t < 3; ++t)
      EXPECT_EQ(context.batches[0].tokens[row][t + 1].item<int64_t>(),
                context.batches[0].targets[row][t].item<int64_t>());
}

TEST(HeldOut, BatchesHaveTheGivenRows) {
  FakeEvaluation context;
  context.trained_at = 4;
  context.data.texts[Split::kValidation] = {std::string(5 * 18, 'a')};
  context.objective_sums = [](const Batch&) { return std::map<std::string, std::pair<double, double>>{}; };
  make<Evaluator>("held_out", {{"rows", 7}})->evaluate(context);
  std::vector<int64_t> rows;
  for (const auto& batch : context.batches) rows.push_back(batch.rows());
  EXPECT_THAT(rows, ElementsAre(7, 7, 4));
  EXPECT_THAT(context.shares, ElementsAre(7 / 18.0, 14 / 18.0, 1));
}

TEST(HeldOut, RefusesTextsBeyondTheModelsLimit) {
  FakeModel model;
  model.longest = 8;
  Assembly assembly;
  assembly.model = &model;
  const auto of_length = [&](int64_t length) {
    return make<Evaluator>("held_out", {{"length", length}})->validate(assembly);
  };
  EXPECT_TRUE(of_length(0).empty());
  EXPECT_TRUE(of_length(8).empty());
  EXPECT_THAT(of_length(9), ElementsAre("length = 9 is more than the 8 positions that the model takes"));
}

// At plan time, before anything is trained: a piece is its inputs and one more token.
TEST(HeldOut, FindsShortDocumentsAtPlanTime) {
  FakeEvaluation context;
  context.data.texts[Split::kValidation] = {"1234", "12345678"};
  const auto faults = [&](const nlohmann::json& parameters, int64_t training_context) {
    return make<Evaluator>("held_out", parameters)
        ->check_split({context.data, Split::kValidation, context.vocabulary().tokenizer(), training_context})
        .faults;
  };
  EXPECT_THAT(faults({{"length", 7}}, 64), IsEmpty());
  EXPECT_THAT(faults(nlohmann::json::object(), 7), IsEmpty());
  EXPECT_THAT(
      faults({{"length", 8}}, 64),
      ElementsAre("no document of the split 'validation' is 9 tokens long; use shorter pieces or another split"));
}

}  // namespace
}  // namespace assay::testing
