// Values of arXiv:2203.15556, and a search for the optimum that does not use the closed form.
#include "scaling/power_law.h"

#include <gtest/gtest.h>

#include <cmath>

#include "scaling/log_residuals.h"
#include "scaling/parametric.h"

namespace assay::scaling {
namespace {

TEST(PowerLaw, TheFrontierOfThePapersParameters) {
  const auto frontier = frontier_of(power_law_of(kPaperLaw));
  EXPECT_NEAR(frontier.a, 0.45652591432, 1e-10);
  EXPECT_NEAR(frontier.b, 0.54347408567, 1e-10);
  const auto gopher = optimum(frontier, 5.76e23);
  EXPECT_NEAR(gopher.parameters, 4.036e10, 0.001e10);
  EXPECT_NEAR(gopher.tokens, 2.379e12, 0.001e12);
  EXPECT_NEAR(gopher.tokens_per_parameter(), 58.93, 0.01);
  EXPECT_NEAR(optimum(frontier, 5.88e23).tokens_per_parameter(), 59.0, 0.05);
  EXPECT_NEAR(flops_for_parameters(frontier, 1e9), 1.748376e20, 1e14);
}

TEST(PowerLaw, NoFrontierWhereATermDoesNotFall) {
  EXPECT_TRUE(has_frontier({.A = 1, .B = 1, .E = 1, .alpha = 0.3, .beta = 0.3}));
  EXPECT_FALSE(has_frontier({.A = 1, .B = 1, .E = 1, .alpha = -0.01, .beta = 0.3}));
}

TEST(PowerLaw, RoundedParametersShiftTheOptimum) {
  const auto frontier = frontier_of({.A = 406.4, .B = 410.7, .E = 1.69, .alpha = 0.34, .beta = 0.28});
  const auto gopher = optimum(frontier, 5.76e23);
  EXPECT_NEAR(frontier.a, 0.4516, 1e-4);
  EXPECT_NEAR(gopher.parameters, 3.219e10, 0.001e10);
  EXPECT_NEAR(gopher.tokens, 2.982e12, 0.001e12);
  EXPECT_NEAR(gopher.tokens_per_parameter(), 92.6, 0.1);
}

TEST(PowerLaw, NoOtherSizeOfTheSameBudgetIsBetter) {
  const auto law = power_law_of(kPaperLaw);
  const auto best = optimum(frontier_of(law), 1e21);
  const double lowest = loss(law, best.parameters, best.tokens);
  for (const double factor : {0.5, 0.99, 1.01, 2.0})
    EXPECT_GT(loss(law, best.parameters * factor, best.tokens / factor), lowest) << factor;
  EXPECT_NEAR(6 * best.parameters * best.tokens / 1e21, 1, 1e-12);
}

TEST(PowerLaw, TheBudgetOfALossIsTheInverseOfTheFrontier) {
  const auto law = power_law_of(kPaperLaw);
  for (const double flops : {1e15, 1e19, 1e24}) {
    const auto best = optimum(frontier_of(law), flops);
    EXPECT_NEAR(*flops_for_loss(law, loss(law, best.parameters, best.tokens)) / flops, 1, 1e-9);
  }
  EXPECT_FALSE(flops_for_loss(law, law.E));
}

}  // namespace
}  // namespace assay::scaling
