// The ranking step against the reference's values; the searches themselves are in tests/unit/run/decoders_test.cpp.
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include "fake_decoding.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using Ids = std::vector<int64_t>;

// ranking_fast of the SimCTG code: three states of the past, three candidates with p = .5, .3, .15.
FakeDecoding example(const std::vector<double>& candidates = {1, .1, -1, .5, 1, -1}) {
  FakeDecoding decoding(at::tensor({.5, .3, .15, .05}, at::kDouble).log().unsqueeze(0));
  decoding.hidden_BSD = at::tensor({1., 0., 0., 1., 1., 1.}, at::kDouble).view({1, 3, 2});
  decoding.mask_BS = at::ones({1, 3}, at::kBool);
  decoding.tried = [=](const Tensor& candidates_BK) {
    EXPECT_EQ(values_of<int64_t>(candidates_BK), (Ids{0, 1, 2}));
    return at::tensor(candidates, at::kDouble).view({1, 3, 2});
  };
  return decoding;
}

Ids chosen_of(FakeDecoding decoding, double alpha, int64_t k = 3) {
  return chosen(*make<Decoder>("contrastive", {{"k", k}, {"alpha", alpha}}), std::move(decoding));
}

TEST(Contrastive, RanksLikeTheReference) {
  for (const auto& [alpha, index] : std::vector<std::pair<double, int64_t>>{{0, 0}, {.1, 0}, {.3, 1}, {.6, 1}, {1, 1}})
    EXPECT_EQ(chosen_of(example(), alpha), Ids{index}) << alpha;
}

// The penalties are .99503714, .44721359, .70710678: the second candidate must make up for its probability, which is
// lower by .2.
TEST(Contrastive, ChangesItsChoiceWhereTheScoresCross) {
  const double crossing = 0.2 / (0.2 + 0.99503714 - 0.44721359);
  EXPECT_EQ(chosen_of(example(), crossing - 1e-7), Ids{0});
  EXPECT_EQ(chosen_of(example(), crossing + 1e-7), Ids{1});
}

TEST(Contrastive, OfEqualScoresTheMoreLikelyTokenWins) {
  EXPECT_EQ(chosen_of(example({1, .1, 1, .1, 1, .1}), 1), Ids{0});
}

TEST(Contrastive, PaddingIsIgnored) {
  auto decoding = example();
  // Without the state [1, 0], the first candidate's highest cosine decreases to cos([1, .1], [1, 1]) = .774.
  decoding.mask_BS = at::tensor({0, 1, 1}, at::kLong).to(at::kBool).unsqueeze(0);
  EXPECT_EQ(chosen_of(decoding, .3), Ids{0});
  EXPECT_EQ(chosen_of(example(), .3), Ids{1});
}

TEST(Contrastive, AStateOfNormZeroHasCosineZero) {
  auto decoding = example({0, 0, -1, .5, 1, -1});
  EXPECT_EQ(chosen_of(decoding, 1), Ids{0});  // penalty 0, the lowest
}

TEST(Contrastive, OfEquallyLikelyTokensTheLowestIdsAreCandidates) {
  FakeDecoding decoding(at::full({1, 4}, 0.5, at::kDouble));
  decoding.hidden_BSD = at::ones({1, 3, 2}, at::kDouble);
  decoding.mask_BS = at::ones({1, 3}, at::kBool);
  decoding.tried = [](const Tensor& candidates_BK) {
    const auto ids = values_of<int64_t>(candidates_BK);
    EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
    return at::ones({1, candidates_BK.size(1), 2}, at::kDouble);
  };
  EXPECT_EQ(chosen_of(decoding, .5, 4), Ids{0});
}

// The diverse variant: of p = .5, .3, .15, .05 the nucleus of .6 holds the first two.
TEST(Contrastive, FirstTokensMayBeSampled) {
  const auto decoder = make<Decoder>("contrastive", {{"sample_steps", 2}, {"top_p", 0.6}, {"k", 3}});
  for (const int64_t step : {0, 1}) {
    FakeDecoding decoding(at::tensor({.5, .3, .15, .05}, at::kDouble).log().unsqueeze(0).repeat({400, 1}), step);
    std::vector<int64_t> counts(4);
    for (const auto token : chosen(*decoder, decoding)) ++counts[static_cast<size_t>(token)];
    EXPECT_GT(counts[0], 200);
    EXPECT_GT(counts[1], 100);
    EXPECT_EQ(counts[2] + counts[3], 0);
  }
}

}  // namespace
}  // namespace assay::testing
