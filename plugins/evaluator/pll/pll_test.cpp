// Tokens are masked one at a time, and their nll is summed.
#include <ATen/ops/ones_like.h>
#include <ATen/ops/stack.h>
#include <gmock/gmock.h>

#include "assay/evaluator.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using ::testing::HasSubstr;

// States that contain the token and its position.
std::map<int64_t, Tensor> states_of(const Batch& batch) {
  const auto tokens = batch.tokens.to(at::kDouble);
  const auto places = at::ones_like(tokens).cumsum(1) - 1;
  return {{-1, at::stack(std::vector<Tensor>{tokens, places}, 2)}};
}

TEST(PseudoLogLikelihood, MasksEveryTokenOnceAndScoresItThere) {
  for (const int64_t at_once : {1, 12, 4096}) {
    FakeEvaluation context;
    context.at_once = at_once;
    context.add_special({"[CLS]", "[MASK]", "[PAD]"});
    const auto mask = context.vocabulary().special("[MASK]"), cls = context.vocabulary().special("[CLS]");
    context.data.texts[Split::kValidation] = {"abcdefgh", "xyzu"};
    context.states = states_of;
    // 0.01 of the target and of its position; 1000 where it was not masked.
    context.chosen_nll = [&](const Tensor& hidden, const Tensor& targets) {
      return targets.to(at::kDouble) * 0.01 + hidden.select(1, 1) + hidden.select(1, 0).ne(mask) * 1000.0;
    };
    make<Evaluator>("pll", {{"length", 4}, {"texts", 3}})->evaluate(context);
    double letters = 0;
    for (const char c : std::string("abcdefghxyzu")) letters += c;
    const double expected = 0.01 * letters + 3 * (1 + 2 + 3 + 4);
    const auto& nll = context.metric("nll", std::map<std::string, double>{});
    EXPECT_NEAR(nll.sum, expected, 1e-9);
    EXPECT_EQ(nll.weight, 12);
    const auto& bits = context.metric("pseudo_bits_per_byte", std::map<std::string, double>{});
    EXPECT_NEAR(bits.sum, expected / 0.6931471805599453, 1e-9);
    EXPECT_EQ(bits.weight, 12);
    ASSERT_EQ(context.examples.size(), 3u);
    EXPECT_NEAR(context.examples[2].numbers.at("nll"), 0.01 * ('x' + 'y' + 'z' + 'u') + 10, 1e-9);
    int64_t rows = 0;
    for (const auto& batch : context.batches) {
      rows += batch.rows();
      EXPECT_LE(batch.rows(), std::max<int64_t>(at_once / 5, 1));
      for (int64_t row = 0; row < batch.rows(); ++row) {
        EXPECT_EQ(batch.tokens[row][0].item<int64_t>(), cls);
        EXPECT_EQ(batch.tokens[row].eq(mask).sum().item<int64_t>(), 1);
      }
    }
    EXPECT_EQ(rows, 12);
  }
}

TEST(PseudoLogLikelihood, IsNotAvailableBeyondTheModelsLimit) {
  FakeEvaluation context;
  context.fake_model.longest = 4;
  make<Evaluator>("pll", {{"length", 4}})->evaluate(context);
  EXPECT_FALSE(context.metric("nll", std::map<std::string, double>{}).available);
}

TEST(PseudoLogLikelihood, NeedsABidirectionalModel) {
  FakeModel model;
  Assembly assembly;
  assembly.model = &model;
  EXPECT_THAT(make<Evaluator>("pll")->validate(assembly).at(0), HasSubstr("needs a bidirectional model"));
  model.is_causal = false;
  EXPECT_TRUE(make<Evaluator>("pll")->validate(assembly).empty());
}

}  // namespace
}  // namespace assay::testing
