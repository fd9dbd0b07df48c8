#include "scaling/fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assay/error.h"
#include "unit/scaling/surface.h"

namespace assay::scaling {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Few starts, which suffice on a surface without noise.
FitOptions quick() {
  FitOptions options{.parametric = true, .isoflop = true, .envelope = false};
  options.fit.grid = {.alpha = {0.5}, .beta = {0.5}, .e = {0.5}, .a = {5}, .b = {5, 10}};
  options.bootstrap.resamples = 0;
  return options;
}

TEST(ScalingFit, AnApproachThatFailsLeavesTheOthers) {
  auto options = quick();
  options.profiles.budgets = {1e10, 1e11};  // far from every run
  const auto fits = fit_groups({{.name = "x", .points = surface_points(0)}}, options, "title");
  EXPECT_TRUE(fits.groups[0].parametric);
  EXPECT_FALSE(fits.groups[0].isoflop);
  EXPECT_THAT(fits.report.notes,
              Contains("warning: not fitted: x: isoflop: 0 of 2 budgets have a parabola; lines need two"));

  options.parametric = false;
  EXPECT_THAT([&] { fit_groups({{.name = "x", .points = surface_points(0)}}, options, "title"); },
              ThrowsMessage<UserError>(AllOf(HasSubstr("x: isoflop: 0 of 2 budgets have a parabola"),
                                             HasSubstr("the budget C=1e+10 is left out"))));
}

// Lines through budgets that nearly coincide have slopes that overflow far away.
TEST(ScalingFit, ValuesThatOverflowHaveNoInterval) {
  std::vector<Point> points;
  for (auto point : isoflop_points()) {
    if (point.flops != 1e20) continue;
    for (const double flops : {1e20, 1.001e20}) {
      point.flops = flops;
      point.tokens = flops / (6 * point.parameters);
      point.loss = loss(kReplication, point.parameters, point.tokens) *
                   (1 + 1e-2 * std::sin(static_cast<double>(points.size())));
      points.push_back(point);
    }
  }
  auto options = quick();
  options.parametric = false;
  options.profiles = {.budgets = {1e20, 1.001e20}, .window = 1e-4};
  options.bootstrap = {.resamples = 50, .seed = 1};
  options.budgets = {1e30};
  const auto fits = fit_groups({{.points = points}}, options, "title");
  EXPECT_THAT(fits.report.notes,
              Contains(AllOf(HasSubstr("isoflop: warning: N_opt at C=1e+30 has no interval, because "),
                             HasSubstr("resamples give no finite value"))));
  for (const auto& quantity : fits.report.quantities) {
    const bool far = quantity.name == "N_opt at C=1e+30";
    if (far || quantity.name == "a") {
      EXPECT_EQ(quantity.interval.has_value(), !far);
      EXPECT_EQ(quantity.deviation.has_value(), !far);
    }
  }
}

TEST(ScalingFit, RunsThatDifferInTheirSeedAreNamedOnce) {
  std::vector<Point> points;
  for (const double size : {1e6, 2e6})
    for (const int seed : {1, 2, 3})
      points.push_back({.parameters = size,
                        .tokens = 1,
                        .flops = 1e18,
                        .loss = 3,
                        .seed = seed,
                        .name = fmt::format("width={} seed={}", size / 1e6, seed)});
  auto options = quick();
  options.parametric = false;
  EXPECT_THAT([&] { fit_groups({{.points = points}}, options, "title"); },
              ThrowsMessage<UserError>(HasSubstr("(width=1 seed=1, 2, 3, width=2 seed=1, 2, 3)")));
}

}  // namespace
}  // namespace assay::scaling
