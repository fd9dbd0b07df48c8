// [[figure]] of an experiment file: names, axes, and the effect of the command line.
#include "study/figure_settings.h"

#include <gmock/gmock.h>

#include "unit/plan/fixture.h"

namespace assay::testing {
namespace {

using ::testing::ElementsAre;
using FiguresAtPlanTime = PlanTest;

const std::string kFigures = R"(
[[evaluate]]
use = "lm"
[[sweep]]
[sweep.grid]
positional = ["alibi", "sinusoidal"]
optimizer.lr = [1e-3, 3e-3]
[[figure]]
x = "length"
y = "lm.bits_per_byte@length=64"
series = ["model.positional", "optimizer.lr"]
[[figure]]
x = "optimizer.lr"
y = "train.loss"
name = "loss"
)";

TEST_F(FiguresAtPlanTime, AreNamedAfterTheirContentOrAsConfigured) {
  const auto figures = plan(kSmall + kFigures).compare.figures;
  ASSERT_EQ(figures.size(), 2u);
  EXPECT_EQ(figures[0].name, "lm-bits_per_byte-length-64-by-length");
  EXPECT_THAT(figures[0].series, ElementsAre("positional", "optimizer.lr"));
  EXPECT_EQ(figures[1].name, "loss");
  EXPECT_TRUE(figures[1].series.empty());
}

TEST_F(FiguresAtPlanTime, AnAxisThatTheCommandLineCollapsesIsNoError) {
  EXPECT_EQ(plan(kSmall + kFigures, {"positional=alibi"}).lines.size(), 2u);
}

}  // namespace
}  // namespace assay::testing
