// Compared with Student-t quantiles of other sources: with two degrees of freedom the quantile has the closed form t =
// a sqrt(2 / (1 - a^2)), a = 0.95, so 4.30265272974946...
#include "compare/statistics/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace assay::compare {
namespace {

TEST(Summarise, ThreeValues) {
  const auto summary = summarise(std::vector<double>{1, 2, 3});
  EXPECT_EQ(summary.n, 3u);
  EXPECT_DOUBLE_EQ(summary.mean, 2);
  EXPECT_DOUBLE_EQ(*summary.deviation, 1);
  EXPECT_NEAR(*summary.half_width, 0.95 * std::sqrt(2 / (1 - 0.95 * 0.95)) / std::sqrt(3.0), 1e-12);
}

TEST(Summarise, SixValues) {
  // Mean 5, squared deviations 9 + 1 + 1 + 0 + 0 + 9 = 20, variance 4.
  const auto summary = summarise(std::vector<double>{2, 4, 6, 5, 5, 8});
  EXPECT_DOUBLE_EQ(summary.mean, 5);
  EXPECT_DOUBLE_EQ(*summary.deviation, 2);
  EXPECT_NEAR(*summary.half_width, 2.570581835636314 * 2 / std::sqrt(6.0), 1e-12);
}

TEST(Summarise, TwoValuesAndAnOffset) {
  const auto summary = summarise(std::vector<double>{1e9 + 1, 1e9 + 3});
  EXPECT_DOUBLE_EQ(*summary.deviation, std::sqrt(2.0));
  EXPECT_NEAR(*summary.half_width, 12.706204736432095, 1e-9);
}

TEST(Summarise, OneValueHasNoInterval) {
  const auto summary = summarise(std::vector<double>{4});
  EXPECT_EQ(summary.mean, 4);
  EXPECT_FALSE(summary.deviation);
  EXPECT_FALSE(summary.half_width);
  EXPECT_EQ(summarise({}).n, 0u);
}

}  // namespace
}  // namespace assay::compare
