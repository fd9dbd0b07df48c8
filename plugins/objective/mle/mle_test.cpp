// Maximum likelihood: weighted sums over the targets, and denominators that make micro-batches add up to the batch.
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

#include "assay/objective.h"
#include "fakes.h"

namespace assay::testing {
namespace {

Tensor ints(const std::vector<int64_t>& values, int64_t rows) { return at::tensor(values, at::kLong).view({rows, -1}); }

// Two rows of three tokens; -ln p = 10 * input + target.
Batch batch_of(const std::vector<double>& weights) {
  Batch batch;
  batch.tokens = ints({1, 2, 3, 4, 5, 6}, 2);
  batch.targets = ints({2, 3, 4, 5, 6, 7}, 2);
  if (!weights.empty()) batch.loss_weight = at::tensor(weights, at::kFloat).view({2, 3});
  return batch;
}
double nll(int64_t input, int64_t target, int64_t) { return static_cast<double>(10 * input + target); }

struct Loss {
  double sum, denominator;
};
Loss loss_of(const Batch& batch, const char* norm = "tokens") {
  const auto mle = make<Objective>("mle", {{"norm", norm}});
  FakePrepare prepare;
  prepare.of = batch;
  mle->prepare(prepare);
  FakeLoss loss(batch, nll);
  loss.denominators = prepare.denominators;
  mle->loss(loss);
  EXPECT_EQ(loss.terms.size(), 1u);
  const auto& term = loss.terms.at("nll");
  EXPECT_EQ(term.weight, 1.0);
  return {term.sum, loss.denominators.at(term.denominator)};
}

TEST(Mle, WithoutWeightsEveryTargetCounts) {
  const auto loss = loss_of(batch_of({}));
  EXPECT_EQ(loss.sum, 12 + 23 + 34 + 45 + 56 + 67);
  EXPECT_EQ(loss.denominator, 6);
}

TEST(Mle, WeightsScaleSumAndDenominatorAlike) {
  const auto loss = loss_of(batch_of({1, 0, 0.5, 0, 2, 0}));
  EXPECT_EQ(loss.sum, 12 + 0.5 * 34 + 2 * 56);
  EXPECT_EQ(loss.denominator, 3.5);
}

TEST(Mle, MicroBatchesAddUpToTheBatch) {
  const auto whole = batch_of({1, 0, 0.5, 0, 2, 0});
  double sum = 0, denominator = 0;
  for (int64_t row = 0; row < 2; ++row) {
    Batch part;
    part.tokens = whole.tokens.narrow(0, row, 1);
    part.targets = whole.targets.narrow(0, row, 1);
    part.loss_weight = whole.loss_weight.narrow(0, row, 1);
    const auto loss = loss_of(part);
    sum += loss.sum;
    denominator += loss.denominator;
  }
  EXPECT_EQ(sum, loss_of(whole).sum);
  EXPECT_EQ(denominator, loss_of(whole).denominator);
}

TEST(Mle, RefusesModelsThatSeeTheNextToken) {
  EXPECT_TRUE(make<Objective>("mle")->needs().causal);
  EXPECT_FALSE(make<Objective>("mle")->needs().bidirectional);
}

// A batch of which a quarter counts, at 3 nats per token: what code prints that divides by padding, too.
TEST(Mle, DividedByPaddingTheLossIsTooLow) {
  Batch batch;
  batch.tokens = ints({1, 1, 1, 1, 1, 1, 1, 1}, 2);
  batch.targets = ints({-7, -7, -7, -7, -7, -7, -7, -7}, 2);
  batch.loss_weight = at::tensor({1, 0, 0, 0, 1, 0, 0, 0}, at::kFloat).view({2, 4});
  const auto padded = loss_of(batch, "padded"), tokens = loss_of(batch);
  EXPECT_EQ(tokens.sum / tokens.denominator, 3);
  EXPECT_EQ(padded.sum / padded.denominator, 0.75);
  EXPECT_NEAR(std::exp(padded.sum / padded.denominator), 2.117, 5e-4);
  EXPECT_NEAR(std::exp(tokens.sum / tokens.denominator), 20.09, 5e-3);
  EXPECT_EQ(make<Objective>("mle", {{"norm", "padded"}})->notes().size(), 1u);
  EXPECT_TRUE(make<Objective>("mle")->notes().empty());
}

}  // namespace
}  // namespace assay::testing
