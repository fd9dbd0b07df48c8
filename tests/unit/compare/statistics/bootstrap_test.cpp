// The interval is compared with one that needs no sampling, and with the normal approximation where that is accurate.
#include "compare/statistics/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace assay::compare {
namespace {

using Values = std::vector<double>;

TEST(DocumentBootstrap, EqualRatiosHaveNoSpread) {
  const auto interval = *document_bootstrap(Values{1, 2, 3}, Values{2, 4, 6});
  EXPECT_NEAR(interval.low, 0.5, 1e-15);
  EXPECT_NEAR(interval.high, 0.5, 1e-15);
}

// Two documents of weight 1: the mean is the lower, the middle or the higher with chances 1/4, 1/2, 1/4.
TEST(DocumentBootstrap, TwoDocumentsSpanTheInterval) {
  const auto interval = *document_bootstrap(Values{1, 3}, Values{1, 1});
  EXPECT_EQ(interval.low, 1);
  EXPECT_EQ(interval.high, 3);
}

TEST(DocumentBootstrap, ManyDocumentsMatchTheNormalApproximation) {
  std::mt19937_64 draw(3);
  std::normal_distribution<double> normal(0.2, 1);
  Values differences;
  for (int i = 0; i < 1000; ++i) differences.push_back(normal(draw));
  double mean = 0, squares = 0;
  for (const double d : differences) mean += d / 1000;
  for (const double d : differences) squares += (d - mean) * (d - mean) / 1000;
  const double half = 1.959964 * std::sqrt(squares / 1000);
  const auto interval = *document_bootstrap(differences, Values(1000, 1.0));
  EXPECT_NEAR(interval.low, mean - half, 0.1 * half);
  EXPECT_NEAR(interval.high, mean + half, 0.1 * half);
  // Doubling all weights halves the ratio of every resample.
  const auto halved = *document_bootstrap(differences, Values(1000, 2.0));
  EXPECT_DOUBLE_EQ(halved.low, interval.low / 2);
}

TEST(DocumentBootstrap, NeedsTwoDocumentsAndWeights) {
  EXPECT_FALSE(document_bootstrap(Values{1}, Values{1}));
  EXPECT_FALSE(document_bootstrap(Values{1, 2}, Values{1}));
  EXPECT_FALSE(document_bootstrap(Values{1, 2}, Values{1, 0}));
}

}  // namespace
}  // namespace assay::compare
