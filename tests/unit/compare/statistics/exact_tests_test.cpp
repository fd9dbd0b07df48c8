// Against scipy 1.17.1: stats.permutation_test((x,), numpy.mean, permutation_type="samples", n_resamples=inf) and
// stats.wilcoxon(x, method="exact").
#include "compare/statistics/exact_tests.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace assay::compare {
namespace {

using Values = std::vector<double>;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
const Values kEight{0.011, -0.004, 0.02, 0.009, 0.013, -0.001, 0.006, 0.017};

TEST(SignFlip, AsScipy) {
  EXPECT_NEAR(sign_flip_p(kEight), 0.03125, 1e-12);
  EXPECT_NEAR(sign_flip_p(Values{-.06, -.02, -.09, -.02, -.04, -.09, -.02}), 0.015625, 1e-12);
}

// By hand: of the 8 sums of +-1 +-2 +-3, six are as far from 0 as 1 + 2 - 3 = 0: all 8; as far as 2: 6, -6, 4, -4, 2,
// -2.
TEST(SignFlip, ByHand) {
  EXPECT_EQ(sign_flip_p(Values{1, 2, 3}), 0.25);
  EXPECT_EQ(sign_flip_p(Values{1, 2, -3}), 1);
  EXPECT_EQ(sign_flip_p(Values{-1, 2, 3}), 0.5);   // 4: 6, -6, 4, -4
  EXPECT_EQ(sign_flip_p(Values{1, -2, 3}), 0.75);  // 2: all but the two zeros
  EXPECT_EQ(sign_flip_p(Values{0.5}), 1);
  EXPECT_EQ(sign_flip_p({}), 1);
}

TEST(SignFlip, TheFloorIsReachedWhenAllSignsAgree) {
  for (const size_t n : {2, 6, 11, 20}) {
    EXPECT_EQ(sign_flip_p(Values(n, 0.1)), sign_flip_floor(n)) << n;
    EXPECT_EQ(sign_flip_floor(n), 2 / std::pow(2.0, n)) << n;
  }
}

TEST(SignFlip, BeyondTwentyItIsCloseToTheEnumeration) {
  Values values;
  std::mt19937_64 draw(7);
  for (int i = 0; i < 20; ++i) values.push_back(std::normal_distribution<double>(0.4, 1)(draw));
  const double exact = sign_flip_p(values);
  values.push_back(0);  // its sign changes nothing
  EXPECT_NEAR(sign_flip_p(values), exact, 5 * std::sqrt(exact * (1 - exact) / 1e6));
  EXPECT_GT(sign_flip_p(Values(40, 1.0)), 0);
}

TEST(SignedRank, AsScipy) {
  EXPECT_NEAR(signed_rank_p(kEight), 0.0390625, 1e-12);
  EXPECT_NEAR(signed_rank_p(Values{1, 2, 3, 4, 5, -6, 7, 8.5, -0.5, 10}), 0.048828125, 1e-12);
}

// scipy has no exact p with ties; this one comes from enumerating the 128 signs of stats.rankdata(abs(x)).
TEST(SignedRank, TiesAndZeros) { EXPECT_NEAR(signed_rank_p(Values{1, 1, -1, 2, 3, 3, 0, -4}), 0.421875, 1e-12); }

TEST(SignedRank, InfiniteDifferencesRankLast) {
  const Values infinite{0.011, -0.004, kInfinity, 0.009, 0.013, -0.001, 0.006, kInfinity};
  EXPECT_EQ(signed_rank_p(infinite), signed_rank_p(Values{0.011, -0.004, 9, 0.009, 0.013, -0.001, 0.006, 9}));
  EXPECT_EQ(signed_rank_p(Values(6, -kInfinity)), 2.0 / 64);
  EXPECT_EQ(signed_rank_p(Values{0, 0}), 1);
}

}  // namespace
}  // namespace assay::compare
