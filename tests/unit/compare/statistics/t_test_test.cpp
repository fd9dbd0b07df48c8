// Against scipy 1.17.1. With A, B, C as below and d = A - B:
//   stats.ttest_rel(A, B), its confidence_interval(.95) and alternative="less"; stats.ttest_1samp(d, -0.03,
//   alternative="less"); stats.ttest_ind(A, C, equal_var=False); equivalence: the larger p of the two one-sided tests
//   of ttest_1samp (paired) or of ttest_ind of A and C shifted by the margin (Welch).
#include "compare/statistics/t_test.h"

#include <gtest/gtest.h>

#include <vector>

namespace assay::compare {
namespace {

const std::vector<double> kA{2.10, 2.13, 2.08, 2.11, 2.15, 2.09, 2.12}, kB{2.16, 2.15, 2.17, 2.13, 2.19, 2.18, 2.14},
    kC{1.9, 2.4, 2.2, 2.6};

TTest paired() {
  std::vector<double> d;
  for (size_t i = 0; i < kA.size(); ++i) d.push_back(kA[i] - kB[i]);
  return *paired_t(d);
}

TEST(PairedT, AsScipy) {
  const auto test = paired();
  EXPECT_NEAR(test.difference, -0.04857142857142861, 1e-9);
  EXPECT_NEAR(test.difference / test.standard_error, -4.035057637859102, 1e-9);
  EXPECT_NEAR(half_width(test), 0.029454351056439745, 1e-9);
  EXPECT_NEAR(p_two_sided(test), 0.006840930975858873, 1e-9);
  EXPECT_NEAR(p_less(test), 0.0034204654879294366, 1e-9);
  EXPECT_NEAR(p_greater(test), 0.9965795345120706, 1e-9);
  EXPECT_NEAR(p_less(test, -0.03), 0.08690900472441307, 1e-9);
}

TEST(WelchT, AsScipy) {
  const auto test = *welch_t(kA, kC);
  EXPECT_NEAR(test.difference, -0.16357142857142826, 1e-9);
  EXPECT_NEAR(test.degrees_of_freedom, 3.022358992698221, 1e-9);
  EXPECT_NEAR(test.difference / test.standard_error, -1.0935262826870615, 1e-9);
  EXPECT_NEAR(half_width(test), 0.4740493807856784, 1e-9);
  EXPECT_NEAR(p_two_sided(test), 0.3535740477927082, 1e-9);
}

TEST(Equivalence, AsScipy) {
  EXPECT_NEAR(p_equivalent(paired(), 0.06), 0.18953082683537428, 1e-9);
  EXPECT_NEAR(p_equivalent(paired(), 0.03), 0.9130909952755869, 1e-9);
  EXPECT_NEAR(p_not_equivalent(paired(), 0.03), 0.17381800944882614, 1e-9);
  EXPECT_NEAR(p_equivalent(*welch_t(kA, kC), 0.5), 0.054684918959693914, 1e-9);
}

// With equal differences the standard error is 0, and one of the 2^n assignments of signs is as extreme in their
// direction.
TEST(PairedT, WithoutSpreadSignsDecide) {
  const auto equal = *paired_t(std::vector<double>{0, 0, 0});
  EXPECT_EQ(p_two_sided(equal), 1);
  EXPECT_EQ(half_width(equal), 0);
  EXPECT_EQ(p_equivalent(equal, 0.1), 1.0 / 8);
  const auto apart = *paired_t(std::vector<double>(6, 0.5));
  EXPECT_TRUE(apart.is_exact);
  EXPECT_EQ(p_two_sided(apart), 2.0 / 64);
  EXPECT_EQ(p_greater(apart), 1.0 / 64);
  EXPECT_EQ(p_less(apart), 1);
  EXPECT_EQ(p_two_sided(apart, 0.5), 1);
  EXPECT_EQ(p_equivalent(apart, 0.25), 1);
  EXPECT_EQ(p_not_equivalent(apart, 0.25), 2.0 / 64);
  EXPECT_FALSE(paired_t(std::vector<double>{1}));
  EXPECT_FALSE(welch_t(kA, std::vector<double>{1}));
}

// Differences such as 1.1 - 1.0 vary in the last bits; 2 and 2.000001 are one value of fp32. A larger spread counts.
TEST(PairedT, RoundingIsNoSpread) {
  const std::vector<double> tenths{1.1 - 1.0, 1.2 - 1.1, 1.3 - 1.2, 1.4 - 1.3, 1.5 - 1.4, 1.6 - 1.5};
  EXPECT_NE(tenths[0], tenths[1]);
  EXPECT_EQ(p_two_sided(*paired_t(tenths)), 2.0 / 64);
  const std::vector<double> noise{1e-6, -1e-6, 1.5e-6, -1e-6, 0.5e-6, 1e-6};
  EXPECT_FALSE(paired_t(noise)->is_exact);
  EXPECT_TRUE(paired_t(noise, 2)->is_exact);
  EXPECT_EQ(p_two_sided(*paired_t(noise, 2)), 1);  // nor does a difference within rounding count
  EXPECT_EQ(p_equivalent(*paired_t(noise, 2), 0.01), 1.0 / 64);
  const std::vector<double> spread{0.5, 0.5, 0.5, 0.5, 0.5, 0.5001};
  EXPECT_FALSE(paired_t(spread)->is_exact);
  EXPECT_LT(p_two_sided(*paired_t(spread)), 1e-9);
}

// One of the 12 over 6 = 924 ways to assign 12 values to two groups of six has all the smaller ones in the first.
TEST(WelchT, WithoutSpreadExchangesDecide) {
  const std::vector<double> low(6, 1.0), high(6, 2.0);
  EXPECT_NEAR(p_two_sided(*welch_t(low, high)), 2.0 / 924, 1e-15);
  EXPECT_NEAR(p_less(*welch_t(low, high)), 1.0 / 924, 1e-15);
  EXPECT_EQ(p_greater(*welch_t(low, high)), 1);
  EXPECT_NEAR(welch_t(low, std::vector<double>(3, 2.0))->exact_floor, 1.0 / 84, 1e-15);
  EXPECT_EQ(p_two_sided(*welch_t(low, low)), 1);
  EXPECT_FALSE(welch_t(low, kC)->is_exact);
}

}  // namespace
}  // namespace assay::compare
