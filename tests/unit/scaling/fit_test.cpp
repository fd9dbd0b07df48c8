#include "scaling/fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assay/error.h"
#include "unit/scaling/surface.h"

namespace assay::scaling {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
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

// The note of a group's quantity.
std::string note_of(const Fits& fits, const std::string& name) {
  for (const auto& quantity : fits.report.quantities)
    if (quantity.name == name) return quantity.note;
  return "absent";
}

// At 6e20 FLOP the optimum of the surface has about 2e9 parameters; the runs have 1e7 to 1.28e9.
TEST(ScalingFit, OptimaOutsideOfTheRunsAreMarked) {
  auto options = quick();
  options.isoflop = false;
  options.budgets = {1e19, 6e20};
  const auto fits = fit_groups({{.points = surface_points(0)}}, options, "title");
  EXPECT_EQ(note_of(fits, "N_opt at C=1e+19"), "");
  EXPECT_EQ(note_of(fits, "N_opt at C=6e+20"), "extrapolated: the runs have N from 1e+07 to 1.28e+09");
  EXPECT_THAT(fits.report.notes, Each(Not(HasSubstr("6ND"))));

  // Other FLOPs than 6ND do not move the optimum of the law, and the report says so.
  auto points = surface_points(0);
  for (auto& point : points) point.flops *= 1.3;
  const auto others = fit_groups({{.points = points}}, options, "title");
  EXPECT_EQ(note_of(others, "N_opt at C=6e+20"), "extrapolated: the runs have N from 1e+07 to 1.28e+09");
  EXPECT_THAT(others.report.notes, Contains(HasSubstr("its optima are under C = 6ND")));
}

TEST(ScalingFit, VerticesOutsideOfTheRunsAreMarked) {
  std::vector<Point> points;
  for (const double flops : {1e18, 1e20})
    for (const double size : {1e6, 2e6, 4e6})
      points.push_back({.parameters = size,
                        .tokens = flops / (6 * size),
                        .flops = flops,
                        .loss = 2 + std::pow(std::log10(size / (flops == 1e18 ? 2e6 : 1e7)), 2)});
  auto options = quick();
  options.parametric = false;
  const auto fits = fit_groups({{.points = points}}, options, "title");
  EXPECT_EQ(note_of(fits, "vertex N at C=1e+18"), "");
  EXPECT_EQ(note_of(fits, "vertex N at C=1e+20"), "extrapolated: the vertex is outside of its runs");
}

TEST(ScalingFit, NotesOfTheCallerAreInReportsAndErrors) {
  auto options = quick();
  options.isoflop = false;
  EXPECT_EQ(fit_groups({{.points = surface_points(0)}}, options, "title", {"left out: x"}).report.notes.back(),
            "left out: x");
  EXPECT_THAT([&] { fit_groups({{.name = "g"}}, options, "title", {"left out: x"}); },
              ThrowsMessage<UserError>(AllOf(HasSubstr("g: the parametric fit has 0 rows"), HasSubstr("left out: x"))));
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
