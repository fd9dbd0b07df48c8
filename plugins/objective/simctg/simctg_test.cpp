// SimCTG's term against the reference code's values (SimCTGLoss at 3a91449: two sequences of four states in three
// dimensions, the second padded to two), its analytic cases, and its invariance to masks and micro-batches.
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "assay/objective.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using nlohmann::json;

Tensor states(const std::vector<double>& values, int64_t rows, int64_t length) {
  return at::tensor(values, at::kDouble).view({rows, length, -1});
}
Tensor mask(const std::vector<int64_t>& values, int64_t rows) {
  return at::tensor(values, at::kLong).view({rows, -1}).to(at::kBool);
}

const std::vector<double> kFirst{1, 0, 0, 1, 1, 0, 0, 1, 1, 2, 0, 1}, kSecond{1, 2, 0, 0, 1, -1, 3, 0, 0, 3, 0, 0};
Tensor both() { return at::cat({states(kFirst, 1, 4), states(kSecond, 1, 4)}); }
Tensor padded() { return mask({1, 1, 1, 1, 1, 1, 0, 0}, 2); }

struct Result {
  double loss, amount;  // sum / denominator, denominator
  Tensor gradient;      // of the loss, with the shape of the states
};

Result result_of(const json& given, const Tensor& hidden, const Tensor& key_mask = {},
                 const std::vector<int64_t>& row_ids = {}) {
  const auto simctg = make<Objective>("simctg", given);
  FakePrepare prepare;
  prepare.of.tokens = at::zeros({hidden.size(0), hidden.size(1)}, at::kLong);
  prepare.of.key_mask = key_mask;
  if (!row_ids.empty()) prepare.of.row_id = at::tensor(row_ids);
  simctg->prepare(prepare);
  EXPECT_EQ(prepare.denominators.size(), 1u);
  FakeLoss loss(prepare.of, {});
  loss.denominators = prepare.denominators;
  const auto leaf = hidden.clone().requires_grad_(true);
  loss.set_hidden(leaf);
  simctg->loss(loss);
  const auto& term = loss.terms.at("cl");
  EXPECT_EQ(term.weight, 1.0);
  const double amount = std::max(loss.denominators.at(term.denominator), 1e-12);
  term.tensor.backward();
  return {term.sum / amount, amount, leaf.grad() / amount};
}

double loss_of(const json& given, const Tensor& hidden, const Tensor& key_mask = {}) {
  return result_of(given, hidden, key_mask).loss;
}

TEST(SimCtg, MatchesTheReference) {
  for (const auto& [margin, expected] : {std::pair{0.0, 0.0},
                                         {0.1, 0.0},
                                         {0.25, 0.0206324589},
                                         {0.5, 0.12377786232197363},
                                         {0.75, 0.31181040032437907},
                                         {1.0, 0.5260961652}})
    EXPECT_NEAR(loss_of({{"margin", margin}}, both(), padded()), expected,
                margin == 0.5 || margin == 0.75 ? 1e-14 : 1e-7)
        << margin;
  EXPECT_EQ(result_of({{"margin", 0.5}}, both(), padded()).amount, 14);  // ordered pairs: 4 * 3 + 2 * 1
  EXPECT_NEAR(loss_of(json::object(), both().to(at::kFloat), padded()), 0.1237778813, 1e-6);  // the default margin
}

TEST(SimCtg, MatchesTheReferencesGradient) {
  const std::vector<double> expected{0,           .101015254, .063887656,  .059968737, -.059968737, .116603967,
                                     .161779362,  .013126588, -.013126588, .003742452, .090350790,  -.007484905,
                                     -.018070158, .009035079, -.045175395, .045175395, .045175395,  .045175395,
                                     0,           0,          0,           0,          0,           0};
  const auto hidden = both();
  const auto gradient = result_of({{"margin", 0.75}}, hidden, padded()).gradient;
  const auto found = values_of(gradient);
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-8) << i;
  // A cosine does not depend on norms.
  EXPECT_LE((gradient * hidden).sum(2).abs().max().item<double>(), 1e-15);
}

TEST(SimCtg, ReductionsDiffer) {
  const double one = loss_of({{"margin", 0.5}}, states(kFirst, 1, 4)), two = 0.1324555874;
  EXPECT_NEAR(one, 0.1223315969, 1e-7);
  EXPECT_NEAR(loss_of({{"margin", 0.5}}, states(kSecond, 1, 4), mask({1, 1, 0, 0}, 1)), two, 1e-7);
  EXPECT_NEAR(loss_of({{"margin", 0.5}, {"reduction", "per_sequence"}}, both(), padded()), 0.1273935922, 1e-7);
  // ((T - 1) / T) * L + margin / T
  EXPECT_NEAR(loss_of({{"margin", 0.5}, {"reduction", "with_diagonal"}}, states(kFirst, 1, 4)), 0.75 * one + 0.5 / 4,
              1e-15);
}

TEST(SimCtg, AnalyticCases) {
  const json half = {{"margin", 0.5}};
  EXPECT_NEAR(loss_of(half, states({1, 2, 2, 4, 3, 6}, 1, 3)), 0.5, 1e-15);  // all parallel
  EXPECT_EQ(loss_of(half, states({1, 0, 0, 1}, 1, 2)), 0);                   // orthogonal
  EXPECT_EQ(loss_of({{"margin", 1}}, states({1, 0, -1, 0}, 1, 2)), 0);       // antiparallel
  EXPECT_EQ(loss_of(half, states({1, 2}, 1, 1)), 0);                         // one token has no pair
  EXPECT_EQ(loss_of(half, states({1, 2, 3, 4}, 1, 2), mask({0, 0}, 1)), 0);  // none at all
  const auto zeros = result_of(half, states({0, 0, 1, 0, 0, 0}, 1, 3));
  EXPECT_TRUE(std::isfinite(zeros.loss));
  EXPECT_EQ(zeros.gradient[0][0].abs().max().item<double>(), 0);  // all directions are equal
  EXPECT_EQ(zeros.gradient[0][2].abs().max().item<double>(), 0);
  EXPECT_TRUE(zeros.gradient.isfinite().all().item<bool>());
}

TEST(SimCtg, NormsOfStatesDoNotMatter) {
  const auto lengths = at::tensor({1.0, 7.0, 0.25, 3.0, 2.0, 11.0, 1.0, 1.0}, at::kDouble).view({2, 4, 1});
  EXPECT_NEAR(loss_of({{"margin", 0.75}}, both() * lengths, padded()), loss_of({{"margin", 0.75}}, both(), padded()),
              1e-15);
}

// The same four states with two masked ones: on the right, on the left, in between, with any values.
TEST(SimCtg, PaddingMayBeAnywhere) {
  const auto h = states(kFirst, 1, 4);
  const double expected = loss_of({{"margin", 0.75}}, h);
  for (const double junk : {0.0, 5.0, -3.0}) {
    const auto pad = states({junk, 1, 2, junk, junk, 1}, 1, 2);
    EXPECT_NEAR(loss_of({{"margin", 0.75}}, at::cat({h, pad}, 1), mask({1, 1, 1, 1, 0, 0}, 1)), expected, 1e-15);
    EXPECT_NEAR(loss_of({{"margin", 0.75}}, at::cat({pad, h}, 1), mask({0, 0, 1, 1, 1, 1}, 1)), expected, 1e-15);
    EXPECT_NEAR(loss_of({{"margin", 0.75}}, at::cat({h.narrow(1, 0, 2), pad, h.narrow(1, 2, 2)}, 1),
                        mask({1, 1, 0, 0, 1, 1}, 1)),
                expected, 1e-15);
  }
}

TEST(SimCtg, BatchesAreWeightedByTheirPairs) {
  const json given = {{"margin", 0.75}};
  const auto one = result_of(given, states(kFirst, 1, 4)),
             two = result_of(given, states(kSecond, 1, 4), mask({1, 1, 0, 0}, 1));
  EXPECT_NEAR(loss_of(given, both(), padded()), (12 * one.loss + 2 * two.loss) / 14, 1e-15);
  EXPECT_GT(std::abs(loss_of(given, both(), padded()) - (one.loss + two.loss) / 2), 1e-3);
}

// Without the pairs (0,1) and (1,0): the ten others by hand, cosines .8944 .6325 .5 .3162 and 0.
TEST(SimCtg, PairsWithinThePrefixAreNotCounted) {
  const auto h = states(kFirst, 1, 4);
  double sum = 0;
  for (const double cosine : {0.0, 2 / std::sqrt(5.0), 0.5, 2 / std::sqrt(10.0), 1 / std::sqrt(10.0)})
    sum += 2 * std::max(0.0, 0.75 - 1 + cosine);
  const auto result = result_of({{"margin", 0.75}, {"prefix_len", 2}}, h);
  EXPECT_EQ(result.amount, 10);
  EXPECT_NEAR(result.loss, sum / 10, 1e-14);
  EXPECT_EQ(loss_of({{"margin", 0.75}, {"prefix_len", 1}}, h), loss_of({{"margin", 0.75}}, h));
  EXPECT_EQ(loss_of({{"margin", 0.75}, {"prefix_len", 4}}, h), 0);
  // The prefix consists of real tokens, wherever padding is.
  const auto pad = states({5, 1, 2, -3, 0, 1}, 1, 2);
  const json given = {{"margin", 0.75}, {"prefix_len", 2}};
  for (const auto& [padded_states, key_mask] : std::vector<std::pair<Tensor, Tensor>>{
           {at::cat({h, pad}, 1), mask({1, 1, 1, 1, 0, 0}, 1)},
           {at::cat({pad, h}, 1), mask({0, 0, 1, 1, 1, 1}, 1)},
           {at::cat({h.narrow(1, 0, 1), pad, h.narrow(1, 1, 3)}, 1), mask({1, 0, 0, 1, 1, 1}, 1)}}) {
    const auto found = result_of(given, padded_states, key_mask);
    EXPECT_EQ(found.amount, 10);
    EXPECT_NEAR(found.loss, result.loss, 1e-14);
  }
  for (const auto* reduction : {"per_sequence", "with_diagonal"}) {
    const json of = {{"margin", 0.75}, {"prefix_len", 2}, {"reduction", reduction}};
    EXPECT_NEAR(loss_of(of, h), *reduction == 'p' ? sum / 10 : (sum + 2 * 0.75) / 12, 1e-14);
  }
}

// Three of four: the loss is that of some three states, different ones in different rows of the batch; a row's do not
// depend on the other rows.
TEST(SimCtg, SampledPositionsAreUsed) {
  const auto h = states(kFirst, 1, 4);
  const json given = {{"margin", 1}, {"positions", 3}};
  std::set<int64_t> left_out;
  for (int64_t id = 0; id < 12; ++id) {
    const auto drawn = result_of(given, h, {}, {id});
    EXPECT_EQ(drawn.amount, 6);
    for (int64_t without = 0; without < 4; ++without) {
      std::vector<int64_t> counts(4, 1);
      counts[static_cast<size_t>(without)] = 0;
      const auto expected = result_of({{"margin", 1}}, h, mask(counts, 1));
      if (std::abs(expected.loss - drawn.loss) < 1e-14 &&
          (expected.gradient - drawn.gradient).abs().max().item<double>() < 1e-14)
        left_out.insert(without);
    }
  }
  EXPECT_EQ(left_out, (std::set<int64_t>{0, 1, 2, 3}));
  const auto together = result_of(given, at::cat({h, h}), {}, {7, 3});
  EXPECT_NEAR(together.loss, (result_of(given, h, {}, {7}).loss + result_of(given, h, {}, {3}).loss) / 2, 1e-14);
  EXPECT_EQ(loss_of({{"positions", 4}}, h), loss_of(json::object(), h));
  EXPECT_EQ(loss_of({{"positions", 3}}, h, mask({1, 0, 0, 0}, 1)), 0);  // masked tokens are drawn last
  EXPECT_EQ(result_of({{"positions", 3}}, h, mask({1, 0, 1, 0}, 1)).amount, 2);
}

TEST(SimCtg, RefusesConfigurationsWithoutPairs) {
  struct WithEncoder : FakeModel {
    bool has_encoder() const override { return true; }
  };
  const FakeModel decoder;
  const WithEncoder encoder;
  Assembly assembly;
  assembly.model = &decoder;
  assembly.context = 8;
  const auto findings = [&](const json& given) { return make<Objective>("simctg", given)->validate(assembly).size(); };
  EXPECT_EQ(findings({{"positions", 1}}), 1u);
  EXPECT_EQ(findings({{"prefix_len", 8}}), 1u);
  EXPECT_EQ(findings({{"positions", 2}, {"prefix_len", 7}}), 0u);
  assembly.model = &encoder;  // whose states before the output are zeros
  EXPECT_EQ(findings({{"positions", 2}}), 1u);
  assembly.model = &decoder;
  assembly.context = 1;
  EXPECT_EQ(findings(json::object()), 1u);
  EXPECT_EQ(findings({{"reduction", "with_diagonal"}}), 0u);
}

}  // namespace
}  // namespace assay::testing
