// Sampling: which tokens each filter keeps, worked out by hand; frequencies; which draw decides.
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <set>

#include "fake_decoding.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using Set = std::set<int64_t>;

constexpr int64_t kRows = 20000;
const std::vector<double> kProbabilities{0.1, 0.4, 0.2, 0.25, 0.05};

Tensor rows_of(const std::vector<double>& probabilities, int64_t rows = kRows) {
  auto logits = at::tensor(probabilities, at::kDouble).log() + 3.0;  // a constant changes nothing
  return logits.unsqueeze(0).repeat({rows, 1});
}

std::vector<int64_t> drawn(const json& parameters, const Tensor& logits, int64_t step = 0, uint64_t seed = 1) {
  const auto sampling = make<Decoder>("sampling", parameters);
  return chosen(*sampling, FakeDecoding(logits, step, seed));
}

Set kept(const json& parameters, const std::vector<double>& probabilities = kProbabilities) {
  const auto tokens = drawn(parameters, rows_of(probabilities));
  return {tokens.begin(), tokens.end()};
}

TEST(Sampling, TopKKeepsTheMostLikely) {
  EXPECT_EQ(kept({}), (Set{0, 1, 2, 3, 4}));
  EXPECT_EQ(kept({{"top_k", 1}}), (Set{1}));
  EXPECT_EQ(kept({{"top_k", 2}}), (Set{1, 3}));
  EXPECT_EQ(kept({{"top_k", 4}}), (Set{0, 1, 2, 3}));
  EXPECT_EQ(kept({{"top_k", 99}}), (Set{0, 1, 2, 3, 4}));
}

TEST(Sampling, TopPKeepsTheFewestTokensThatReachIt) {
  EXPECT_EQ(kept({{"top_p", 0.0}}), (Set{1}));
  EXPECT_EQ(kept({{"top_p", 0.39}}), (Set{1}));
  EXPECT_EQ(kept({{"top_p", 0.41}}), (Set{1, 3}));
  EXPECT_EQ(kept({{"top_p", 0.66}}), (Set{1, 2, 3}));
  EXPECT_EQ(kept({{"top_p", 0.94}}), (Set{0, 1, 2, 3}));
  EXPECT_EQ(kept({{"top_p", 0.96}}), (Set{0, 1, 2, 3, 4}));
}

// Among the three most likely tokens, 0.4 and 0.25 have a share of 0.765; among all, 0.65. Temperature 0.5 squares the
// probabilities; then 0.16 has a share of 0.582.
TEST(Sampling, TemperatureThenTopKThenTopP) {
  EXPECT_EQ(kept({{"top_k", 3}, {"top_p", 0.75}}), (Set{1, 3}));
  EXPECT_EQ(kept({{"top_k", 3}, {"top_p", 0.78}}), (Set{1, 2, 3}));
  EXPECT_EQ(kept({{"temperature", 0.5}, {"top_p", 0.57}}), (Set{1}));
  EXPECT_EQ(kept({{"temperature", 0.5}, {"top_p", 0.59}}), (Set{1, 3}));
  EXPECT_EQ(kept({{"temperature", 2.0}, {"top_p", 0.59}}), (Set{1, 2, 3}));  // roots: 0.297 + 0.235 + 0.210 of 1
}

// The entropy of all five is 1.4150 nats; -ln p is 2.303, 0.916, 1.609, 1.386, 2.996: the fourth is the most typical,
// then the third, the second, the first, the fifth. Among the three most likely alone the entropy is 1.0551, and -ln p
// is 0.754, 1.447 and 1.224 for the second, third and fourth.
TEST(Sampling, TypicalKeepsTheTokensNearestToTheEntropy) {
  EXPECT_EQ(kept({{"typical", 0.2}}), (Set{3}));
  EXPECT_EQ(kept({{"typical", 0.26}}), (Set{2, 3}));
  EXPECT_EQ(kept({{"typical", 0.44}}), (Set{2, 3}));
  EXPECT_EQ(kept({{"typical", 0.46}}), (Set{1, 2, 3}));
  EXPECT_EQ(kept({{"typical", 0.86}}), (Set{0, 1, 2, 3}));
  EXPECT_EQ(kept({{"top_k", 3}, {"typical", 0.3}}), (Set{1, 3}));
}

TEST(Sampling, OfEqualLogitsLowerIdsAreKept) {
  const std::vector<double> equal(8, 1.0);
  EXPECT_EQ(kept({{"top_k", 3}}, equal), (Set{0, 1, 2}));
  EXPECT_EQ(kept({{"top_p", 0.5}}, equal), (Set{0, 1, 2, 3}));
  EXPECT_EQ(kept({{"top_p", 0.51}}, equal), (Set{0, 1, 2, 3, 4}));
}

void expect_frequencies(const json& parameters, const std::vector<double>& expected) {
  std::vector<double> counts(expected.size());
  for (const auto token : drawn(parameters, rows_of(kProbabilities))) ++counts[static_cast<size_t>(token)];
  for (size_t id = 0; id < expected.size(); ++id) {
    const double p = expected[id];
    EXPECT_NEAR(counts[id] / kRows, p, 4 * std::sqrt(p * (1 - p) / kRows)) << "token " << id << " of " << parameters;
  }
}

TEST(Sampling, FrequenciesMatchProbabilities) {
  expect_frequencies({}, kProbabilities);
  expect_frequencies({{"top_k", 2}}, {0, 0.4 / 0.65, 0, 0.25 / 0.65, 0});
  expect_frequencies({{"top_p", 0.7}}, {0, 0.4 / 0.85, 0.2 / 0.85, 0.25 / 0.85, 0});
  expect_frequencies({{"typical", 0.26}}, {0, 0, 0.2 / 0.45, 0.25 / 0.45, 0});
  expect_frequencies({{"temperature", 0.5}},
                     {0.01 / 0.275, 0.16 / 0.275, 0.04 / 0.275, 0.0625 / 0.275, 0.0025 / 0.275});
}

// The first of two equal tokens has the lower half of the interval.
TEST(Sampling, TheDrawOfRowAndStepDecides) {
  for (const uint64_t seed : {1, 2})
    for (const int64_t step : {0, 7}) {
      const auto tokens = drawn({}, at::zeros({50, 2}), step, seed);
      for (uint64_t row = 0; row < tokens.size(); ++row) {
        const auto draw = Draws(seed, "decode").substream(row).uniform(static_cast<uint64_t>(step));
        EXPECT_EQ(tokens[row], draw < 0.5 ? 0 : 1) << "row " << row << ", step " << step;
      }
    }
}

TEST(Sampling, ARowDoesNotDependOnTheOthers) {
  auto many = drawn({}, rows_of(kProbabilities, 20));
  many.resize(7);
  EXPECT_EQ(drawn({}, rows_of(kProbabilities, 7)), many);
  EXPECT_NE(drawn({}, rows_of(kProbabilities, 7), 1), many);
}

TEST(Sampling, HandlesExtremeLogits) {
  const double none = -std::numeric_limits<double>::infinity();
  EXPECT_THAT(drawn({}, at::tensor({-1e4, 1e4, none}).view({1, 3})), ElementsAre(1));
  EXPECT_EQ(kept({{"temperature", 0.01}}), (Set{1}));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(
      [&] {
        drawn({}, at::tensor({0.0, nan}).view({1, 2}));
      },
      ThrowsMessage<UserError>(HasSubstr("logits contain NaN")));
  EXPECT_THAT(
      [&] {
        drawn({}, at::tensor({none, none}).view({1, 2}));
      },
      ThrowsMessage<UserError>(HasSubstr("infinite")));
}

}  // namespace
}  // namespace assay::testing
