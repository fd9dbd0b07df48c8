// WSD against Megatron-LM's table (max 1e-3, min 1e-4, W = 100, T = 1000, Td = 200) and the formulas of its four
// styles.
#include <gmock/gmock.h>

#include <cmath>

#include "assay/error.h"
#include "assay/scheduler.h"
#include "harness.h"

namespace assay::testing {
namespace {

using ::testing::HasSubstr;
constexpr RunLength kRun{1000, 2048};

Made<Scheduler> wsd(const std::string& style) {
  return make<Scheduler>("wsd", {{"warmup", "100 steps"}, {"decay", "200 steps"}, {"floor", 0.1}, {"style", style}});
}

TEST(Wsd, MegatronTable) {
  const auto linear = wsd("linear"), cosine = wsd("cosine");
  EXPECT_NEAR(1e-3 * linear->multiplier(850, kRun), 7.75e-4, 1e-15);
  EXPECT_NEAR(1e-3 * linear->multiplier(900, kRun), 5.5e-4, 1e-15);
  EXPECT_NEAR(1e-3 * cosine->multiplier(850, kRun), 8.681981e-4, 5e-11);
  EXPECT_NEAR(1e-3 * cosine->multiplier(900, kRun), 5.5e-4, 1e-15);
}

// Halfway through the decay, from 1 to 0: 2 * 0.5^0.5 - 1 and 1 - sqrt(0.5).
TEST(Wsd, ExponentialAndMinusSqrt) {
  EXPECT_NEAR(wsd("exponential")->multiplier(900, kRun), 0.1 + 0.9 * 0.41421356237309515, 1e-15);
  EXPECT_NEAR(wsd("minus_sqrt")->multiplier(900, kRun), 0.1 + 0.9 * 0.29289321881345243, 1e-15);
}

TEST(Wsd, IsStableBetweenAndContinuousAtBothEnds) {
  for (const char* style : {"linear", "cosine", "exponential", "minus_sqrt"}) {
    const auto of = wsd(style);
    EXPECT_EQ(of->multiplier(0, kRun), 0.0) << style;
    EXPECT_EQ(of->multiplier(50, kRun), 0.5) << style;
    for (const int64_t step : {100, 101, 500, 799, 800}) EXPECT_EQ(of->multiplier(step, kRun), 1.0) << style << step;
    EXPECT_LT(of->multiplier(801, kRun), 1.0) << style;
    EXPECT_NEAR(of->multiplier(1000, kRun), 0.1, 1e-15) << style;
    EXPECT_EQ(of->multiplier(1001, kRun), 0.1) << style;
    for (int64_t step = 800; step < 1000; ++step)
      EXPECT_LT(of->multiplier(step + 1, kRun), of->multiplier(step, kRun)) << style << step;
  }
}

TEST(Wsd, DefaultsDecayOverTheLastTenthToZero) {
  const auto of = make<Scheduler>("wsd");
  EXPECT_EQ(of->multiplier(0, kRun), 1.0);
  EXPECT_EQ(of->multiplier(900, kRun), 1.0);
  EXPECT_DOUBLE_EQ(of->multiplier(950, kRun), 0.5);
  EXPECT_EQ(of->multiplier(1000, kRun), 0.0);
}

// A tenth of 9 steps is 0.9 of a step, so the decay takes one step, and the last update has the rate at its middle.
TEST(Wsd, ADecayOfLessThanAStepIsAStep) {
  const auto of = make<Scheduler>("wsd");
  for (const int64_t steps : {9, 10}) {
    EXPECT_EQ(of->multiplier(steps - 2, {steps, 32}), 1.0) << steps;
    EXPECT_EQ(of->multiplier(steps - 1, {steps, 32}), 0.5) << steps;
    EXPECT_EQ(of->multiplier(steps, {steps, 32}), 0.0) << steps;
  }
  EXPECT_EQ(of->multiplier(0, {1, 32}), 0.5);
  // With two steps: the peak, then the middle of the decay.
  EXPECT_EQ(of->multiplier(18, {20, 32}), 1.0);
  EXPECT_EQ(of->multiplier(19, {20, 32}), 0.5);
}

TEST(Wsd, PhasesThatDoNotFitAreRefused) {
  const auto of = make<Scheduler>("wsd", {{"warmup", "60%"}, {"decay", "50%"}});
  for (const int64_t step : {0, 700}) try {
      of->multiplier(step, kRun);
      FAIL() << "taken";
    } catch (const UserError& error) {
      EXPECT_THAT(error.what(), HasSubstr("wsd: warmup (600 steps) and decay (500 steps) exceed length (1000 steps)"));
    }
}

}  // namespace
}  // namespace assay::testing
