// Holm's adjustment by hand, alpha spending against scipy 1.17.1 (2 * norm.sf(norm.isf(.025) / sqrt(fraction))), and
// error rates by simulation: how often tests reject a true null hypothesis.
#include "compare/statistics/families.h"

#include <gmock/gmock.h>

#include <cmath>
#include <random>
#include <vector>

#include "compare/statistics/t_test.h"
#include "compare/verdicts/interim_analyses.h"

namespace assay::compare {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using Values = std::vector<double>;

TEST(Holm, ByHand) {
  EXPECT_THAT(holm(Values{0.01, 0.04, 0.03, 0.005}),
              ElementsAre(DoubleEq(0.03), DoubleEq(0.06), DoubleEq(0.06), DoubleEq(0.02)));
  EXPECT_THAT(holm(Values{0.6, 0.5}), ElementsAre(1, 1));
  EXPECT_THAT(holm(Values{0.02}), ElementsAre(0.02));
  EXPECT_THAT(holm(Values{}), ElementsAre());
}

TEST(SpentLevel, AsScipy) {
  EXPECT_NEAR(spent_level(0.05, 0.2), 1.172644684252109e-05, 1e-9);
  EXPECT_NEAR(spent_level(0.05, 0.5), 0.005574596680784402, 1e-9);
  EXPECT_NEAR(spent_level(0.05, 0.8), 0.028429630753072664, 1e-9);
  EXPECT_EQ(spent_level(0.05, 1), 0.05);
  EXPECT_EQ(spent_level(0.05, 0), 0);
}

TEST(LevelOfLook, InterimLevelsAddUpToTheLevel) {
  double sum = 0, before = 0;
  for (const double fraction : {0.25, 0.3, 0.6, 1.0}) {
    sum += interim_level(0.05, before, fraction);
    before = fraction;
  }
  EXPECT_NEAR(sum, 0.05, 1e-15);
  EXPECT_EQ(interim_level(0.05, 0.5, 0.5), 0);  // no new data, so no level is spent
}

// Rates over `kTrials` simulated experiments. Five standard errors at a rate of 0.05 are 0.0077.
constexpr int kTrials = 20'000;
constexpr double kSlack = 0.0077;

template <typename Trial>
double share(std::uint64_t seed, Trial trial) {
  std::mt19937_64 draw(seed);
  int hits = 0;
  for (int i = 0; i < kTrials; ++i) hits += trial(draw);
  return static_cast<double>(hits) / kTrials;
}

Values normals(std::mt19937_64& draw, size_t n, double mean, double deviation) {
  std::normal_distribution<double> normal(mean, deviation);
  Values values(n);
  for (auto& value : values) value = normal(draw);
  return values;
}

TEST(ErrorRates, PairedTOfEqualRows) {
  const auto rejected = share(1, [](auto& draw) { return p_two_sided(*paired_t(normals(draw, 6, 0, 1))) < 0.05; });
  EXPECT_NEAR(rejected, 0.05, kSlack);
}

// Two claims about rows whose seeds all differ by the same amount, in either direction with equal probability: with p =
// 0 each would be decided whenever six signs agree, in 2 / 64 of the cases; the exact p is 4 / 64 after Holm.
TEST(ErrorRates, EqualDifferencesInAFamilyOfTwo) {
  int by_zero = 0;
  const auto any_false = share(7, [&](auto& draw) {
    Values p;
    bool zero = false;
    for (int claim = 0; claim < 2; ++claim) {
      Values differences(6);
      for (auto& one : differences) one = (draw() & 1) ? 0.1 : -0.1;
      const auto test = *paired_t(differences);
      zero |= test.is_exact;
      p.push_back(p_two_sided(test));
    }
    by_zero += zero;
    const auto adjusted = holm(p);
    return std::min(adjusted[0], adjusted[1]) < 0.05;
  });
  EXPECT_LT(any_false, 0.05);
  EXPECT_GT(static_cast<double>(by_zero) / kTrials, 0.055);  // 1 - (62 / 64)^2 = 0.062
}

TEST(ErrorRates, WelchOfUnequalVariancesAndSizes) {
  const auto rejected = share(
      2, [](auto& draw) { return p_two_sided(*welch_t(normals(draw, 6, 0, 3), normals(draw, 15, 0, 1))) < 0.05; });
  EXPECT_NEAR(rejected, 0.05, kSlack);
}

TEST(ErrorRates, EquivalenceOnTheMargin) {
  const auto accepted =
      share(3, [](auto& draw) { return p_equivalent(*paired_t(normals(draw, 12, 1, 0.5)), 1) < 0.05; });
  EXPECT_NEAR(accepted, 0.05, kSlack);
  const auto refused =
      share(4, [](auto& draw) { return p_not_equivalent(*paired_t(normals(draw, 12, 1, 0.5)), 1) < 0.05; });
  EXPECT_LT(refused, 0.025 + kSlack);  // the other margin is far away
}

// Four rows against one baseline; two of them do not differ from it. Their tests share the baseline's values.
TEST(ErrorRates, HolmOverColumnsThatShareABaseline) {
  int any_unadjusted = 0;
  const auto any_false = share(5, [&](auto& draw) {
    const auto baseline = normals(draw, 8, 0, 1);
    Values p;
    for (const double shift : {0.0, 0.0, 0.0, 3.0}) {
      auto row = normals(draw, 8, shift, 1);
      for (size_t i = 0; i < row.size(); ++i) row[i] -= baseline[i];
      p.push_back(p_two_sided(*paired_t(row)));
    }
    const auto adjusted = holm(p);
    any_unadjusted += std::min({p[0], p[1], p[2]}) < 0.05;
    return std::min({adjusted[0], adjusted[1], adjusted[2]}) < 0.05;
  });
  EXPECT_LT(any_false, 0.05 + kSlack);
  EXPECT_GT(static_cast<double>(any_unadjusted) / kTrials, 0.08);  // the adjustment prevents this
}

// Seeds are added from 6 to 30, as --until-decided adds them, until the test reports a difference of equal rows.
TEST(ErrorRates, InterimAnalysesKeepTheLevel) {
  int uncorrected = 0;
  const auto corrected = share(6, [&](auto& draw) {
    const auto all = normals(draw, 30, 0, 1);
    bool decided = false, decided_uncorrected = false;
    double before = 0;
    for (const size_t n : interim_seed_counts(6, all.size())) {
      const double fraction = static_cast<double>(n) / static_cast<double>(all.size());
      const double p = p_two_sided(*paired_t(std::span(all).first(n)));
      decided |= p < interim_level(0.05, before, fraction);
      decided_uncorrected |= p < 0.05;
      before = fraction;
    }
    uncorrected += decided_uncorrected;
    return decided;
  });
  EXPECT_LT(corrected, 0.05 + kSlack);
  EXPECT_GT(static_cast<double>(uncorrected) / kTrials, 0.12);
}

}  // namespace
}  // namespace assay::compare
