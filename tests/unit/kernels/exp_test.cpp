// The kernels' own exp against the C library's in higher precision, over its whole range.
#include "exp.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace assay::kernels {
namespace {

template <class T, class Wide>
double worst_units(T from, int steps) {
  double worst = 0;
  for (int i = 0; i <= steps; ++i) {
    const T x = from * static_cast<T>(i) / static_cast<T>(steps);
    const Wide exact = std::exp(static_cast<Wide>(x));
    const Wide unit = static_cast<Wide>(std::numeric_limits<T>::epsilon()) * std::exp2(std::floor(std::log2(exact)));
    worst = std::max(worst, static_cast<double>(std::abs(static_cast<Wide>(exp_nonpositive(x)) - exact) / unit));
  }
  return worst;
}

TEST(KernelExp, ErrorIsWithinItsUlps) {
  EXPECT_LT((worst_units<float, double>(-87.3F, 4000000)), 2.0);
  EXPECT_LT((worst_units<float, double>(-1.0F, 1000000)), 2.0);
  EXPECT_LT((worst_units<double, long double>(-708.3, 1000000)), 3.0);
  EXPECT_LT((worst_units<double, long double>(-1.0, 1000000)), 3.0);
}

TEST(KernelExp, AtTheEnds) {
  const auto infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(exp_nonpositive(0.0F), 1.0F);
  EXPECT_EQ(exp_nonpositive(0.0), 1.0);
  EXPECT_EQ(exp_nonpositive(-0.0F), 1.0F);
  EXPECT_EQ(exp_nonpositive(-infinity), 0.0F);
  EXPECT_EQ(exp_nonpositive(-100.0F), 0.0F);
  EXPECT_EQ(exp_nonpositive(-std::numeric_limits<double>::infinity()), 0.0);
  EXPECT_EQ(exp_nonpositive(-800.0), 0.0);
  EXPECT_TRUE(std::isnan(exp_nonpositive(std::numeric_limits<float>::quiet_NaN())));
  EXPECT_TRUE(std::isnan(exp_nonpositive(std::numeric_limits<double>::quiet_NaN())));
}

}  // namespace
}  // namespace assay::kernels
