// Against scipy 1.17.1. With A, B, C as below and d = A - B:
//   stats.ttest_rel(A, B), its confidence_interval(.95) and alternative="less"; stats.ttest_1samp(d, -0.03,
//   alternative="less"); stats.ttest_ind(A, C, equal_var=False); equivalence: the larger p of the two one-sided tests
//   of ttest_1samp (paired) or of ttest_ind of A and C shifted by the margin (Welch).
#include "compare/t_test.h"

#include <gtest/gtest.h>

#include <vector>

namespace assay {
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

TEST(PairedT, WithoutSpreadTheAnswerIsPlain) {
  const auto equal = *paired_t(std::vector<double>{0, 0, 0});
  EXPECT_EQ(p_two_sided(equal), 1);
  EXPECT_EQ(half_width(equal), 0);
  EXPECT_EQ(p_equivalent(equal, 0.1), 0);
  const auto apart = *paired_t(std::vector<double>{0.5, 0.5});
  EXPECT_EQ(p_two_sided(apart), 0);
  EXPECT_EQ(p_equivalent(apart, 0.25), 1);
  EXPECT_EQ(p_not_equivalent(apart, 0.25), 0);
  EXPECT_FALSE(paired_t(std::vector<double>{1}));
  EXPECT_FALSE(welch_t(kA, std::vector<double>{1}));
}

}  // namespace
}  // namespace assay
