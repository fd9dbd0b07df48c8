// Against scipy 1.17.1, with c = stats.t.isf(level / 2, n - 1), nc = mean / deviation * sqrt(n):
//   nct.sf(c, n - 1, nc) + nct.cdf(-c, n - 1, nc); equivalence: nct.sf(c, n - 1, (mean + M) / deviation * sqrt(n)) +
//   nct.sf(c, n - 1, (M - mean) / deviation * sqrt(n)) - 1 with c = t.isf(level, n - 1); needed n by trying 6, 7, 8,
//   ...
#include "compare/statistics/power.h"

#include <gtest/gtest.h>

#include <vector>

namespace assay::compare {
namespace {

TEST(Power, AsScipy) {
  EXPECT_NEAR(paired_t_power(10, 0.5, 1, 0.05), 0.2931756065140767, 1e-9);
  EXPECT_NEAR(paired_t_power(34, 0.5, 1, 0.05), 0.8077775012792738, 1e-9);
  EXPECT_NEAR(paired_t_power(6, 1.5, 1, 0.05), 0.8325292798668078, 1e-9);
  EXPECT_NEAR(paired_t_power(20, -0.8, 1.2, 0.01), 0.5577939025956457, 1e-9);
  EXPECT_NEAR(equivalence_power(20, 0.01, 0.1, 0.08, 0.05), 0.9020149340731971, 1e-9);
  EXPECT_NEAR(equivalence_power(12, 0, 0.1, 0.1, 0.05), 0.8893790860462629, 1e-9);
}

TEST(NeededPairs, AsScipy) {
  EXPECT_EQ(needed_pairs(0.5, 1, 0.05), 34u);  // Cohen's table for d = 0.5 and power 0.8 has 33, by an approximation
  EXPECT_EQ(needed_pairs(-0.05, 0.2, 0.05), 128u);
  EXPECT_EQ(needed_pairs(0.8, 1.2, 0.01), 30u);
  EXPECT_EQ(needed_pairs(3, 1, 0.05), 6u);
  EXPECT_EQ(needed_pairs(0.05, 1, 0.05), 3142u);
  EXPECT_EQ(needed_pairs_to_be_equivalent(0.01, 0.1, 0.05, 0.05), 42u);
}

TEST(NeededPairs, AtTheEdges) {
  EXPECT_EQ(needed_pairs(1e6, 1, 0.05), 6u);
  EXPECT_EQ(needed_pairs(1, 0, 0.05), 6u);
  EXPECT_EQ(needed_pairs(1, 0, 0.025), 7u);  // signs decide: 2 / 2^6 is above 0.025, 2 / 2^7 = 0.0156 below
  EXPECT_EQ(needed_pairs(1, 0, 0.05 / 7), 9u);
  EXPECT_EQ(needed_pairs_to_be_equivalent(0, 0, 1, 0.0125), 7u);  // one-sided: 1 / 2^6 is above, 1 / 2^7 below
  EXPECT_FALSE(needed_pairs(0, 1, 0.05));
  EXPECT_FALSE(needed_pairs(1e-4, 1, 0.05));
  EXPECT_FALSE(needed_pairs_to_be_equivalent(0.2, 0.1, 0.2, 0.05));
}

// stats.pearsonr(A, B) on the values of t_test_test.cpp.
TEST(PairCorrelation, AsScipy) {
  const std::vector<double> a{2.10, 2.13, 2.08, 2.11, 2.15, 2.09, 2.12}, b{2.16, 2.15, 2.17, 2.13, 2.19, 2.18, 2.14};
  EXPECT_NEAR(*pair_correlation(a, b), 0.03200921998322166, 1e-9);
  EXPECT_NEAR(*pair_correlation(a, std::vector<double>{-2.10, -2.13, -2.08, -2.11, -2.15, -2.09, -2.12}), -1, 1e-12);
  EXPECT_FALSE(pair_correlation(a, std::vector<double>(7, 1.0)));
  EXPECT_FALSE(pair_correlation(std::vector<double>{1, 2}, std::vector<double>{1, 2}));
}

}  // namespace
}  // namespace assay::compare
