// The objective and its gradient: numpy's values at the paper's parameters, and central differences.
#include "scaling/log_residuals.h"

#include <gtest/gtest.h>

#include <cmath>

#include "scaling/parametric.h"
#include "unit/scaling/surface.h"

namespace assay::scaling {
namespace {

TEST(LogResiduals, NumpysValues) {
  LogPoints points(surface_points(0.01));
  EXPECT_NEAR(huber_over_delta(points, kPaperLaw, 1e-3, nullptr), 0.46364873960389164, 1e-13);
  for (std::size_t i = 0; i < points.weights.size(); ++i) points.weights[i] = static_cast<double>(i % 3);
  LogLaw gradient;
  EXPECT_NEAR(huber_over_delta(points, kPaperLaw, 2e-2, gradient.data()), 0.19410148879724543, 1e-13);
  const LogLaw wanted{-5.049075727263691, -3.76955754348249, -8.861253391094818, 88.45285506469065, 82.42549989440067};
  for (std::size_t i = 0; i < wanted.size(); ++i)
    EXPECT_NEAR(gradient[i], wanted[i], 1e-10 * std::fabs(wanted[i])) << i;
}

TEST(LogResiduals, TheGradientEqualsCentralDifferences) {
  const LogPoints points(surface_points(0.01));
  const LogLaw at{5, 7, 0.6, 0.31, 0.35};
  LogLaw gradient;
  huber_over_delta(points, at, 0.05, gradient.data());
  for (std::size_t i = 0; i < at.size(); ++i) {
    constexpr double kStep = 1e-6;
    auto above = at, below = at;
    above[i] += kStep;
    below[i] -= kStep;
    const double slope =
        (huber_over_delta(points, above, 0.05, nullptr) - huber_over_delta(points, below, 0.05, nullptr)) / (2 * kStep);
    EXPECT_NEAR(gradient[i], slope, 1e-6 * std::fabs(slope)) << i;
  }
}

// Far from the data one term exceeds the others by hundreds of powers of e.
TEST(LogResiduals, DistantLawsAreFinite) {
  const LogPoints points(surface_points(0));
  LogLaw gradient;
  EXPECT_TRUE(std::isfinite(huber_over_delta(points, {900, -900, 0, -5, 40}, 1e-3, gradient.data())));
  for (const double one : gradient) EXPECT_TRUE(std::isfinite(one));
}

}  // namespace
}  // namespace assay::scaling
