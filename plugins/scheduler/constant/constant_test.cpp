// Constant rate after a linear warm-up.
#include <gtest/gtest.h>

#include "assay/error.h"
#include "assay/scheduler.h"
#include "harness.h"

namespace assay::testing {
namespace {

TEST(Constant, WithoutWarmupIsThePeakFromTheFirstUpdate) {
  const auto constant = make<Scheduler>("constant");
  for (const int64_t step : {0, 1, 500, 1000, 5000}) EXPECT_EQ(constant->multiplier(step, {1000, 32}), 1.0) << step;
  EXPECT_EQ(constant->decay_multiplier(0, {1000, 32}), 1.0);
}

TEST(Constant, WarmsUpLinearlyFromZero) {
  const auto constant = make<Scheduler>("constant", {{"warmup", "100 steps"}});
  EXPECT_EQ(constant->multiplier(0, {1000, 32}), 0.0);
  EXPECT_EQ(constant->multiplier(1, {1000, 32}), 0.01);
  EXPECT_EQ(constant->multiplier(50, {1000, 32}), 0.5);
  EXPECT_EQ(constant->multiplier(99, {1000, 32}), 0.99);
  EXPECT_EQ(constant->multiplier(100, {1000, 32}), 1.0);
  EXPECT_EQ(constant->multiplier(2000, {1000, 32}), 1.0);  // never falls
}

TEST(Constant, WarmsUpFromItsStart) {
  const auto constant = make<Scheduler>("constant", {{"warmup", "10 steps"}, {"start", 0.5}});
  EXPECT_EQ(constant->multiplier(0, {1000, 32}), 0.5);
  EXPECT_EQ(constant->multiplier(5, {1000, 32}), 0.75);
}

TEST(Constant, WarmupInEveryUnitIsTheSameWarmup) {
  for (const char* warmup : {"10 steps", "320 tokens", "5%"}) {
    const auto constant = make<Scheduler>("constant", {{"warmup", warmup}});
    EXPECT_EQ(constant->multiplier(9, {200, 32}), 0.9) << warmup;
    EXPECT_EQ(constant->multiplier(10, {200, 32}), 1.0) << warmup;
  }
}

TEST(Constant, WarmupThatFillsTheRunIsRefused) {
  const auto constant = make<Scheduler>("constant", {{"warmup", "1000 steps"}});
  EXPECT_EQ(constant->multiplier(1000, {1001, 32}), 1.0);
  for (const int64_t steps : {10, 1000}) try {
      constant->multiplier(0, {steps, 32});
      FAIL() << "taken";
    } catch (const UserError& error) {
      EXPECT_EQ(std::string(error.what()),
                "constant: warmup (1000 steps) must be shorter than length (" + std::to_string(steps) + " steps)");
    }
}

// 5% of 19 steps are 0.95 of one.
TEST(Constant, AWarmupOfLessThanAStepIsAStep) {
  for (const char* warmup : {"5%", "31 tokens"}) {
    const auto constant = make<Scheduler>("constant", {{"warmup", warmup}, {"start", 0.25}});
    EXPECT_EQ(constant->multiplier(0, {19, 32}), 0.25) << warmup;
    EXPECT_EQ(constant->multiplier(1, {19, 32}), 1.0) << warmup;
  }
  EXPECT_EQ(make<Scheduler>("constant", {{"warmup", "0%"}})->multiplier(0, {19, 32}), 1.0);
}

}  // namespace
}  // namespace assay::testing
