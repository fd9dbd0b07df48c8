// Vertices and lines on a known surface, against numpy's polyfit.
#include "scaling/isoflop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/scaling/surface.h"

namespace assay::scaling {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Isoflop, VerticesOfTheSurface) {
  const auto fit = fit_isoflop(isoflop_points(), {});
  ASSERT_EQ(fit.profiles.size(), 9);
  EXPECT_NEAR(fit.profiles[0].parameters / 200757025.05226314, 1, 1e-9);
  EXPECT_NEAR(fit.profiles[0].lowest, 3.0324575482059544, 1e-12);
  EXPECT_NEAR(fit.profiles[0].curvature, 0.4197693921188864, 1e-9);
  EXPECT_NEAR(fit.profiles[4].parameters / 849386279.2290348, 1, 1e-9);
  EXPECT_NEAR(fit.profiles[8].parameters / 4857829938.210724, 1, 1e-9);
  EXPECT_NEAR(fit.parameters.exponent, 0.51270332, 1e-8);
  EXPECT_NEAR(fit.parameters.log_coefficient, -3.05082452, 1e-7);
  EXPECT_NEAR(fit.tokens.exponent, 1 - 0.51270332, 1e-8);
  EXPECT_EQ(fit.vertices, 9);
}

// D of a vertex is that of its runs, also where C is not 6ND.
TEST(Isoflop, TokensAreThoseOfTheRuns) {
  auto points = isoflop_points();
  for (auto& point : points) point.flops *= 1.58;
  const auto fit = fit_isoflop(points, {});
  EXPECT_NEAR(fit.profiles[4].tokens / (1e20 / (6 * 849386279.2290348)), 1, 1e-9);
  EXPECT_NEAR(fit.tokens.exponent, 1 - 0.51270332, 1e-8);
}

TEST(Isoflop, ABudgetTakesTheRunsWithinItsWindow) {
  auto points = isoflop_points();
  points[3].flops *= 1.08;
  points[5].flops *= 1.3;
  const auto fit = fit_isoflop(points, {.budgets = {6e18, 1e20}, .window = 0.1});
  ASSERT_EQ(fit.profiles.size(), 2);
  EXPECT_EQ(fit.profiles[0].rows, (std::vector<std::size_t>{0, 1, 2, 3, 4, 6, 7, 8}));
  EXPECT_EQ(fit.unused.size(), 81 - 8 - 9);
}

TEST(Isoflop, BudgetsAreApartWhereFlopsJump) {
  auto points = isoflop_points();
  points.resize(18);
  for (std::size_t i = 0; i < 9; ++i) points[i].flops *= 1 + 0.02 * static_cast<double>(i);
  const auto fit = fit_isoflop(points, {.window = 0.05});
  ASSERT_EQ(fit.profiles.size(), 2);
  EXPECT_EQ(fit.profiles[0].rows.size(), 9);
  EXPECT_NEAR(fit.profiles[0].flops / 6.4725818068803738e18, 1, 1e-12);  // the geometric mean
}

TEST(Isoflop, AVertexIsOutsideOnEitherSide) {
  const auto is_outside = [](double vertex) {
    std::vector<Point> points;
    for (const double size : {1e6, 2e6, 4e6})
      points.push_back(
          {.parameters = size, .tokens = 1, .flops = 1e20, .loss = 2 + std::pow(std::log10(size / vertex), 2)});
    return fit_isoflop(points, {}).profiles[0].is_outside;
  };
  EXPECT_TRUE(is_outside(0.9e6));
  EXPECT_FALSE(is_outside(1.1e6));
  EXPECT_FALSE(is_outside(3.9e6));
  EXPECT_TRUE(is_outside(4.1e6));
}

TEST(Isoflop, NoVertexWithoutAValley) {
  std::vector<Point> points;
  for (const double size : {1e6, 2e6, 4e6})
    points.push_back({.parameters = size, .tokens = 1, .flops = 1e18, .loss = 3});
  points[1].loss = 4;  // a hill
  for (const double size : {1e6, 2e6}) points.push_back({.parameters = size, .tokens = 1, .flops = 1e19, .loss = 3});
  for (const double size : {1e6, 2e6, 4e6, 8e6})
    points.push_back({.parameters = size, .tokens = 1, .flops = 1e20, .loss = 2 + std::pow(std::log10(size / 1e7), 2)});
  const auto fit = fit_isoflop(points, {});
  ASSERT_EQ(fit.profiles.size(), 3);
  EXPECT_THAT(fit.profiles[0].rejected, HasSubstr("opens downwards"));
  EXPECT_THAT(fit.profiles[1].rejected, HasSubstr("2 of the 3 different N"));
  EXPECT_EQ(fit.profiles[2].rejected, "");
  EXPECT_NEAR(fit.profiles[2].parameters / 1e7, 1, 1e-9);
  EXPECT_TRUE(fit.profiles[2].is_outside);
  EXPECT_EQ(fit.vertices, 1);
  EXPECT_EQ(fit.parameters.exponent, 0);
}

TEST(Isoflop, ARefitKeepsRowsWithTheirBudgets) {
  const auto points = isoflop_points();
  const auto fit = fit_isoflop(points, {});
  const std::vector<std::size_t> sample{0, 0, 4, 8, 8, 9, 13, 17};
  const auto again = refit(points, fit, sample);
  EXPECT_THAT(again.profiles[0].rows, ElementsAre(0, 0, 4, 8, 8));
  EXPECT_THAT(again.profiles[1].rows, ElementsAre(9, 13, 17));
  EXPECT_EQ(again.vertices, 2);
}

}  // namespace
}  // namespace assay::scaling
