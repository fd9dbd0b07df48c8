#include "scaling/rungs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace assay::scaling {
namespace {

using ::testing::ElementsAre;

Point point_of(double flops, double size, std::int64_t seed, double loss) {
  return {.parameters = size,
          .tokens = flops / (6 * size),
          .flops = flops,
          .loss = loss,
          .seed = seed,
          .name = std::to_string(std::lround(size))};
}

TEST(Rungs, PartnersOfABudget) {
  const std::vector<Point> variant{point_of(1e10, 100, 1, 3.0), point_of(1e10, 100, 2, 3.1),
                                   point_of(1e12, 900, 1, 2.0)};
  const std::vector<Point> baseline{point_of(1.02e10, 102, 2, 3.3), point_of(1.02e10, 102, 1, 3.2),
                                    point_of(1e11, 300, 1, 2.6), point_of(1e12, 900, 3, 2.2)};
  std::vector<std::string> left_out;
  const auto rungs = rungs_of(variant, baseline, {}, &left_out);
  EXPECT_THAT(left_out, ElementsAre("no seed has runs of both groups at C=1e+11 (300)",
                                    "no seed has runs of both groups at C=1e+12 (900, 900)"));
  ASSERT_EQ(rungs.size(), 1);  // at 1e11 only the baseline has a run, at 1e12 no seed is common
  EXPECT_THAT(rungs[0].seeds, ElementsAre(1, 2));
  EXPECT_THAT(rungs[0].variant, ElementsAre(3.0, 3.1));
  EXPECT_THAT(rungs[0].baseline, ElementsAre(3.2, 3.3));
  EXPECT_NEAR(rungs[0].variant_flops, 1e10, 1);
  EXPECT_NEAR(rungs[0].baseline_flops, 1.02e10, 1);
}

// Three sizes make a parabola: 2 + (log10 N - 3)^2 at N = 500, 1000, 3000 has its lowest point at 2.
TEST(Rungs, TheLowestPointOfAProfile) {
  std::vector<Point> variant, baseline;
  for (const double size : {500.0, 900.0, 3000.0}) {
    variant.push_back(point_of(1e10, size, 1, 2 + std::pow(std::log10(size) - 3, 2)));
    baseline.push_back(point_of(1e10, size, 1, 3 - 1e-4 * size));  // falls over all sizes: the lowest loss counts
  }
  const auto rungs = rungs_of(variant, baseline, {});
  ASSERT_EQ(rungs.size(), 1);
  EXPECT_NEAR(rungs[0].variant[0], 2, 1e-12);
  EXPECT_NEAR(rungs[0].baseline[0], 2.7, 1e-12);
  // Beside a budget with vertices one without does not count.
  auto inner = baseline;
  for (auto* points : {&variant, &inner}) points->push_back(point_of(1e12, 900, 1, 1.5));
  for (auto& point : inner)
    if (point.flops == 1e10) point.loss = 2.2 + std::pow(std::log10(point.parameters) - 3, 2);
  const auto with_vertices = rungs_of(variant, inner, {});
  ASSERT_EQ(with_vertices.size(), 1);
  EXPECT_NEAR(with_vertices[0].baseline[0], 2.2, 1e-12);
  // Nor does one with a vertex of the variant alone.
  for (const double size : {500.0, 900.0, 3000.0}) {
    variant.push_back(point_of(1e14, size, 1, 1 + std::pow(std::log10(size) - 3, 2)));
    inner.push_back(point_of(1e14, size, 1, 2 - 1e-4 * size));
  }
  std::vector<std::string> left_out;
  EXPECT_EQ(rungs_of(variant, inner, {}, &left_out).size(), 1);
  EXPECT_THAT(
      left_out,
      ElementsAre("a group has no lowest point inside of its sizes at C=1e+12 (900, 900)",
                  "a group has no lowest point inside of its sizes at C=1e+14 (500, 500, 900, 900, 3000, 3000)"));
  EXPECT_EQ(rungs_of(inner, variant, {}).size(), 1);
}

}  // namespace
}  // namespace assay::scaling
