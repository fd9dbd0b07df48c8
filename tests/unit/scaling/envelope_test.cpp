// Approach 1 on curves of a known surface, and the smoothing against sums written out.
#include "scaling/envelope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "assay/error.h"
#include "unit/scaling/surface.h"

namespace assay::scaling {
namespace {

using ::testing::ElementsAre;

TEST(Envelope, SmoothingIsAWeightedMeanCutAtTheEnds) {
  const std::vector<double> losses{4, 2, 1}, steps{1, 2, 3};
  const auto means = smoothed(steps, losses, 1);
  const double near = std::exp(-0.5), far = std::exp(-2.0);
  EXPECT_NEAR(means[0], (4 + 2 * near + far) / (1 + near + far), 1e-15);
  EXPECT_NEAR(means[1], (4 * near + 2 + near) / (1 + 2 * near), 1e-15);
  EXPECT_THAT(smoothed(steps, losses, 0), ElementsAre(4, 2, 1));
  // The window is in steps, whatever the distance of logged ones: at a distance of 20 nothing is left of a neighbour.
  const auto apart = smoothed(std::vector<double>{10, 20, 40}, losses, 5);
  EXPECT_NEAR(apart[0], (4 + 2 * std::exp(-2.0)) / (1 + std::exp(-2.0)), 1e-15);
  EXPECT_NEAR(apart[2], (1 + 2 * std::exp(-8.0)) / (1 + std::exp(-8.0)), 1e-15);
}

TEST(Envelope, TheLowestCurveOfEachBudget) {
  const std::vector<Curve> curves{{.parameters = 10,
                                   .flops_per_token = 6.0 * 10,
                                   .steps = {1, 2, 3},
                                   .flops = {1, 10, 100},
                                   .losses = {5, 3, 2.8},
                                   .name = "small"},
                                  {.parameters = 100,
                                   .flops_per_token = 6.0 * 100,
                                   .steps = {1, 2, 3},
                                   .flops = {10, 100, 1000},
                                   .losses = {4, 2, 1},
                                   .name = "large"}};
  const auto fit = Envelope(curves, {.smoothing_window = 0, .points = 7}).fit();
  ASSERT_EQ(fit.points.size(), 7);  // 1, 10^0.5, 10, ..., 1000
  std::vector<std::size_t> lowest;
  for (const auto& point : fit.points) lowest.push_back(point.curve);
  EXPECT_THAT(lowest, ElementsAre(0, 0, 0, 0, 1, 1, 1));  // at 10^1.5 the curves have 2.9 and 3
  EXPECT_NEAR(fit.points[1].loss, 4, 1e-12);
  EXPECT_NEAR(fit.points[5].loss, 1.5, 1e-12);
  EXPECT_THAT(fit.used, ElementsAre(0, 1));
  // Least squares of log N = 1, 1, 1, 1, 2, 2, 2 on log C = 0, 0.5, .. 3: 3 / 7.
  EXPECT_NEAR(fit.parameters.exponent, 3.0 / 7, 1e-12);
  EXPECT_NEAR(fit.tokens.exponent, 4.0 / 7, 1e-12);
}

// Curves that follow the surface in D reach the frontier's exponent up to the coarseness of the sizes.
TEST(Envelope, FollowsTheFrontierOfASurface) {
  std::vector<Curve> curves;
  for (int i = 0; i < 41; ++i) {
    Curve curve{.parameters = 1e7 * std::pow(1000, i / 40.0)};
    curve.flops_per_token = 6 * curve.parameters;
    for (int step = 1; step <= 400; ++step) {
      const double tokens = 1e7 * std::pow(1e5, step / 400.0);
      curve.steps.push_back(step);
      curve.flops.push_back(6 * curve.parameters * tokens);
      curve.losses.push_back(loss(kReplication, curve.parameters, tokens));
    }
    curves.push_back(std::move(curve));
  }
  // Budgets whose optimum lies between the smallest and the largest size.
  const auto fit = Envelope(curves, {.smoothing_window = 0, .points = 1500}).fit();
  std::vector<std::pair<double, double>> inner;
  for (const auto& point : fit.points)
    if (point.flops > 1e17 && point.flops < 1e21) inner.emplace_back(point.flops, curves[point.curve].parameters);
  EXPECT_NEAR(fit_power_line(inner).exponent, frontier_of(kReplication).a, 0.01);
}

TEST(Envelope, ChosenCurvesAlone) {
  const std::vector<Curve> curves{
      {.parameters = 10, .flops_per_token = 6.0 * 10, .steps = {1, 2, 3}, .flops = {1, 10, 100}, .losses = {5, 3, 2.8}},
      {.parameters = 100,
       .flops_per_token = 6.0 * 100,
       .steps = {1, 2, 3},
       .flops = {9, 100, 1000},
       .losses = {4, 2, 1}}};
  const Envelope envelope(curves, {.smoothing_window = 0, .points = 7});
  const std::vector<std::size_t> one{1, 1};
  const auto fit = envelope.fit(one);
  EXPECT_EQ(fit.points.size(), 5);  // the curve begins at 9
  EXPECT_THAT(fit.used, ElementsAre(1));
}

TEST(Envelope, RefusesTooLittle) {
  EXPECT_THROW(
      Envelope(
          std::vector<Curve>{
              {.parameters = 1, .flops_per_token = 6.0 * 1, .steps = {1, 2}, .flops = {1, 2}, .losses = {1, 1}}},
          {}),
      UserError);
  EXPECT_THROW(
      Envelope(
          std::vector<Curve>{
              {.parameters = 1, .flops_per_token = 6.0 * 1, .steps = {1, 2}, .flops = {1, 2}, .losses = {1, 1}},
              {.parameters = 2, .flops_per_token = 6.0 * 2, .steps = {1}, .flops = {1}, .losses = {1}}},
          {}),
      UserError);
}

}  // namespace
}  // namespace assay::scaling
