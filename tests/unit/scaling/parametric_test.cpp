// Fits against known surfaces and against scipy 1.17.1: BFGS and Nelder-Mead for Huber's loss, and iterated linear
// programs for least absolute deviations.
#include "scaling/parametric.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "assay/error.h"
#include "scaling/points.h"
#include "unit/scaling/surface.h"

namespace assay::scaling {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Parametric, RecoversASurfaceWithoutNoise) {
  const auto fit = fit_parametric(surface_points(0), {.threads = 2});
  EXPECT_LT(fit.objective, 1e-12);
  EXPECT_NEAR(fit.law.alpha, 0.3478, 1e-5);
  EXPECT_NEAR(fit.law.beta, 0.3658, 1e-5);
  EXPECT_NEAR(fit.law.E, 1.8172, 1e-5);
  EXPECT_NEAR(fit.law.A / 482.01, 1, 1e-3);
  EXPECT_NEAR(fit.law.B / 2085.43, 1, 1e-3);
  EXPECT_EQ(fit.starts, 4500);
  EXPECT_GT(fit.at_best, 0);
  EXPECT_FALSE(fit.start_at_edge);
}

TEST(Parametric, HubersLossEqualsScipys) {
  const auto fit = fit_parametric(surface_points(0.01), {});
  EXPECT_NEAR(fit.objective / 0.000205759384188098, 1, 1e-6);
  EXPECT_NEAR(fit.law.alpha, 0.30501012, 1e-5);
  EXPECT_NEAR(fit.law.beta, 0.37139446, 1e-5);
  EXPECT_NEAR(fit.law.E, 1.69770252, 1e-4);
  EXPECT_NEAR(fit.law.A / 258.778, 1, 1e-3);
  EXPECT_NEAR(fit.law.B / 2323.119, 1, 1e-3);
}

TEST(Parametric, LeastAbsoluteDeviationsEqualLinearPrograms) {
  const auto fit = fit_parametric(surface_points(0.01), {.loss = RobustLoss::kLad});
  EXPECT_NEAR(fit.objective / 0.223088595279493, 1, 1e-6);
  EXPECT_NEAR(fit.law.alpha, 0.30456817, 1e-3);
  EXPECT_NEAR(fit.law.beta, 0.37112431, 1e-3);
}

TEST(Parametric, ThreadsDoNotChangeTheFit) {
  ParametricOptions options{
      .grid = {.alpha = {0, 0.5, 1}, .beta = {0, 0.5, 1}, .e = {0, 0.5}, .a = {0, 10}, .b = {0, 10}}};
  const auto one = fit_parametric(surface_points(0.01), options);
  options.threads = 3;
  const auto three = fit_parametric(surface_points(0.01), options);
  EXPECT_EQ(one.law.A, three.law.A);
  EXPECT_EQ(one.objective, three.objective);
  EXPECT_EQ(one.at_best, three.at_best);
}

TEST(Parametric, ExcludesRowsFromTheKthHighestOn) {
  auto points = surface_points(0.01);
  points[7].loss = points[3].loss = 9;
  points[20].loss = 8;
  ParametricOptions options{.grid = {.alpha = {0.5}, .beta = {0.5}, .e = {0.5}, .a = {5}, .b = {5}}};
  options.exclude_highest = 1;  // both rows of the highest loss
  EXPECT_THAT(fit_parametric(points, options).excluded, ElementsAre(3, 7));
  options.exclude_highest = 3;
  EXPECT_THAT(fit_parametric(points, options).excluded, ElementsAre(3, 7, 20));
  options.exclude_highest = 41;
  EXPECT_THROW(fit_parametric(points, options), UserError);
  options.exclude_highest = 0;
  EXPECT_THAT(fit_parametric(points, options).excluded, ElementsAre());
}

TEST(Parametric, AStartAtTheEdgeIsMarked) {
  const ParametricOptions options{.grid = {.alpha = {0.3}, .beta = {0.3}, .e = {0.5}, .a = {5}, .b = {7}}};
  EXPECT_TRUE(fit_parametric(surface_points(0.01), options).start_at_edge);
}

std::string refusal(const std::vector<Point>& points) {
  try {
    fit_parametric(points, {});
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST(Parametric, RefusesRowsThatDetermineNothing) {
  const auto points = surface_points(0);
  EXPECT_THAT(refusal({points.begin(), points.begin() + 4}), HasSubstr("has 4 rows; it has 5 parameters"));
  EXPECT_THAT(refusal({points.begin(), points.begin() + 5}), HasSubstr("rows of one N alone (1e+07)"));
  std::vector<Point> one_length;
  for (std::size_t i = 0; i < points.size(); i += 5) one_length.push_back(points[i]);
  EXPECT_THAT(refusal(one_length), HasSubstr("rows of one D alone (1e+09)"));
}

// Each refit is the optimum of its resample: starts of another kind find no better one.
TEST(Parametric, BootstrapRefitsAreOptimaOfTheirResamples) {
  const auto points = surface_points(0.01);
  ParametricOptions options;
  options.grid = {.alpha = {0, 0.5, 1}, .beta = {0, 0.5, 1}, .e = {0, 0.5}, .a = {0, 10}, .b = {0, 10}};
  const auto fit = fit_parametric(points, options);
  const auto laws = bootstrap_parametric(points, fit, options, {.resamples = 5, .seed = 3});
  ASSERT_EQ(laws.size(), 5);
  Resampler resampler(points.size(), 3);
  for (const auto& law : laws) {
    std::vector<Point> drawn;
    for (const auto row : resampler.with_replacement()) drawn.push_back(points[row]);
    const auto best = fit_parametric(drawn, options);
    EXPECT_NEAR(
        huber_over_delta(LogPoints(drawn), log_law_of(law), options.delta, nullptr) * options.delta / best.objective, 1,
        1e-6);
    EXPECT_NEAR(law.alpha, best.law.alpha, 1e-3);
  }
}

// 234 published runs; the values are scipy's.
TEST(Parametric, PublishedRuns) {
  const char* data = std::getenv("ASSAY_SHARED_DATA");
  std::ifstream file(std::string(data ? data : "") + "/scaling/kyotakano_llm_df.csv");
  if (!data || !file) GTEST_SKIP() << "the published runs are not there; set ASSAY_SHARED_DATA";
  std::stringstream text;
  text << file.rdbuf();
  const auto points = points_of(parse_csv(text.str(), "runs.csv"), {}, "runs.csv");
  ASSERT_EQ(points.size(), 234);
  check_points(points, "runs.csv", false);
  const auto huber = fit_parametric(points, {.threads = 2});
  EXPECT_NEAR(huber.objective / 0.000840093119957, 1, 1e-6);
  EXPECT_NEAR(huber.law.alpha, 0.34262604, 1e-6);
  EXPECT_NEAR(huber.law.beta, 0.34200190, 1e-6);
  EXPECT_NEAR(huber.law.E, 1.78389413, 1e-6);
  EXPECT_NEAR(huber.law.A / 442.164, 1, 1e-5);
  EXPECT_NEAR(huber.law.B / 1271.808, 1, 1e-5);
  const auto lad = fit_parametric(points, {.loss = RobustLoss::kLad, .threads = 2});
  EXPECT_LT(lad.objective, 0.949513689117 * (1 + 1e-6));
  EXPECT_NEAR(lad.law.alpha, 0.34086341, 1e-4);
  EXPECT_NEAR(lad.law.beta, 0.34831309, 1e-4);
}

}  // namespace
}  // namespace assay::scaling
