// Self-similarity and isotropy of states with known cosines; which pieces of the text are used.
#include <ATen/ops/ones_like.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>

#include "assay/evaluator.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Upper triangles of their cosines: .70710678 0 .89442719 .5 .63245553 .31622777, and .63245553 .44721360 .44721360 0
// 0 1.
const Tensor kOne = at::tensor({1., 0., 0., 1., 1., 0., 0., 1., 1., 2., 0., 1.}, at::kDouble).view({4, 3});
const Tensor kOther = at::tensor({1., 2., 0., 0., 1., -1., 3., 0., 0., 3., 0., 0.}, at::kDouble).view({4, 3});
constexpr double kSumOfOne = .70710678 + .89442719 + .5 + .63245553 + .31622777;
constexpr double kSumOfOther = .63245553 + .44721360 + .44721360 + 1;

struct Looked : FakeEvaluation {
  Looked(const nlohmann::json& parameters, int64_t tokens_at_once, std::optional<int64_t> limit = {}) {
    fake_model.longest = limit;
    at_once = tokens_at_once;
    data.texts[Split::kValidation] = {"abcdefghi", "xyz", "klmn"};
    states = [](const Batch& batch) {
      std::vector<Tensor> rows;
      for (int64_t row = 0; row < batch.rows(); ++row)
        rows.push_back((batch.tokens[row][0].item<int64_t>() == 'a' ? kOne : kOther).narrow(0, 0, batch.length()));
      const auto final_states = at::stack(rows);
      // The states of another layer are all equal; those of the first are zero.
      return std::map<int64_t, Tensor>{
          {0, at::zeros_like(final_states)}, {1, at::ones_like(final_states)}, {-1, final_states}};
    };
    make<Evaluator>("similarity", parameters)->evaluate(*this);
  }
  double value(const std::string& name, const std::map<std::string, double>& at = {}) const {
    return metric(name, at).sum / metric(name, at).weight;
  }
};

TEST(Similarity, IsTheMeanCosineOfDifferentTokens) {
  for (const int64_t at_once : {4, 1024}) {
    const Looked got({{"texts", 2}, {"length", 4}}, at_once);
    EXPECT_NEAR(got.value("self_similarity"), (kSumOfOne + kSumOfOther) / 12, 1e-8);
    EXPECT_NEAR(got.value("isotropy"), 1 - (kSumOfOne + kSumOfOther) / 12, 1e-8);
    EXPECT_EQ(got.metric("self_similarity", std::map<std::string, double>{}).weight, 24);
    EXPECT_NEAR(got.value("layer_self_similarity", {{"layer", 0}}), 0, 1e-12);
    EXPECT_NEAR(got.value("layer_self_similarity", {{"layer", 1}}), 1, 1e-12);
    ASSERT_EQ(got.examples.size(), 2u);
    EXPECT_NEAR(got.examples[0].numbers.at("self_similarity"), 2 * kSumOfOne, 1e-7);
    EXPECT_NEAR(got.examples[1].numbers.at("self_similarity"), 2 * kSumOfOther, 1e-7);
    EXPECT_EQ(got.examples[1].numbers.at("pairs"), 12);
  }
}

// The SimCTG code's value for the four states and the first two of the others: 14 ordered pairs.
TEST(Similarity, MatchesTheReference) {
  const Looked four({{"texts", 1}, {"length", 4}}, 1024), two({{"texts", 2}, {"length", 2}}, 1024);
  const double sum = four.examples[0].numbers.at("self_similarity") + two.examples[1].numbers.at("self_similarity");
  EXPECT_NEAR(sum / 14, .5260960885, 1e-7);  // its fp32
  EXPECT_NEAR(1 - sum / 14, .4739039115, 1e-7);
}

TEST(Similarity, PlansItsMetrics) {
  Looked got({{"texts", 1}, {"length", 4}}, 1024);
  Assembly assembly;
  assembly.model = &got.fake_model;
  EXPECT_EQ(named(make<Evaluator>("similarity")->planned_metrics(assembly)), named(got.metrics));
}

TEST(Similarity, IsNotAvailableBeyondTheModelsLimit) {
  const Looked got({{"texts", 1}, {"length", 4}}, 1024, 3);
  EXPECT_FALSE(got.metric("self_similarity", std::map<std::string, double>{}).available);
  EXPECT_FALSE(got.metric("layer_isotropy", {{"layer", 1}}).available);
  EXPECT_TRUE(got.examples.empty());
}

// The complete pieces of each document are abcd, efgh and klmn; two of the three are the first and the second.
TEST(Similarity, TakesEvenlySpacedPieces) {
  const auto ids = [](const Looked& got) {
    std::vector<std::string> all;
    for (const auto& example : got.examples) all.push_back(example.id);
    return all;
  };
  EXPECT_THAT(ids(Looked({{"texts", 9}, {"length", 4}}, 1024)), ElementsAre("0@0", "0@4", "2@0"));
  EXPECT_THAT(ids(Looked({{"texts", 2}, {"length", 4}}, 1024)), ElementsAre("0@0", "0@4"));
  EXPECT_THAT(ids(Looked({{"texts", 1}, {"length", 4}}, 1024)), ElementsAre("0@0"));
  EXPECT_THAT(
      [] {
        Looked({{"length", 10}}, 1024);
      },
      ThrowsMessage<UserError>(HasSubstr("no document of the split 'validation' is 10 tokens long")));
}

}  // namespace
}  // namespace assay::testing
