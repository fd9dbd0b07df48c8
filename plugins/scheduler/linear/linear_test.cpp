// Linear decay against the tables of Hugging Face (peak 1e-4) and Megatron-LM (max 1e-3, min 1e-4), both with W = 100,
// T = 1000, and against the values of Megatron's own unit tests.
#include <gmock/gmock.h>

#include "assay/error.h"
#include "assay/scheduler.h"
#include "harness.h"

namespace assay::testing {
namespace {

using ::testing::HasSubstr;
constexpr RunLength kRun{1000, 2048};

TEST(Linear, HuggingFaceTable) {
  const auto linear = make<Scheduler>("linear", {{"warmup", "100 steps"}});
  const auto lr = [&](int64_t s) { return 1e-4 * linear->multiplier(s, kRun); };
  EXPECT_EQ(lr(0), 0);
  EXPECT_NEAR(lr(99), 9.9e-5, 1e-18);
  EXPECT_EQ(lr(100), 1e-4);  // the peak is reached; counted from step 0 it would be 9e-5 here
  EXPECT_NEAR(lr(500), 5.555556e-5, 5e-12);
  EXPECT_NEAR(lr(999), 1.111111e-7, 5e-14);
  EXPECT_EQ(lr(1000), 0);
  EXPECT_EQ(lr(5000), 0);
}

TEST(Linear, MegatronTable) {
  const auto linear = make<Scheduler>("linear", {{"warmup", "100 steps"}, {"floor", 0.1}});
  const auto lr = [&](int64_t n) { return 1e-3 * linear->multiplier(n, kRun); };
  EXPECT_NEAR(lr(50), 5e-4, 1e-15);
  EXPECT_NEAR(lr(101), 9.99e-4, 1e-15);
  EXPECT_NEAR(lr(550), 5.5e-4, 1e-15);
  EXPECT_NEAR(lr(850), 2.5e-4, 1e-15);
  EXPECT_NEAR(lr(900), 2e-4, 1e-15);
  EXPECT_NEAR(lr(1000), 1e-4, 1e-15);
  EXPECT_NEAR(lr(1001), 1e-4, 1e-15);
}

// init 0.01, max 0.1, min 0.001.
TEST(Linear, MegatronsUnitTests) {
  const auto linear = make<Scheduler>("linear", {{"warmup", "100 steps"}, {"start", 0.1}, {"floor", 0.01}});
  EXPECT_NEAR(0.1 * linear->multiplier(0, kRun), 0.01, 1e-15);
  EXPECT_NEAR(0.1 * linear->multiplier(50, kRun), 0.055, 1e-15);
  EXPECT_NEAR(0.1 * linear->multiplier(500, kRun), 0.1 - 0.099 * 400 / 900, 1e-15);
}

TEST(Linear, DefaultsFallFromTheFirstStepToZero) {
  const auto linear = make<Scheduler>("linear");
  EXPECT_EQ(linear->multiplier(0, kRun), 1);
  EXPECT_EQ(linear->multiplier(250, kRun), 0.75);
  EXPECT_EQ(linear->multiplier(1000, kRun), 0);
}

// 5% of 200 steps, and 2e4 tokens at 2048 per step, rounded down to 9 steps.
TEST(Linear, WarmupInAnyUnit) {
  EXPECT_DOUBLE_EQ(make<Scheduler>("linear", {{"warmup", "5%"}})->multiplier(5, {200, 2048}), 0.5);
  EXPECT_DOUBLE_EQ(make<Scheduler>("linear", {{"warmup", "2e4 tokens"}})->multiplier(3, {200, 2048}), 3.0 / 9);
  EXPECT_DOUBLE_EQ(make<Scheduler>("linear", {{"warmup", "2e4 tokens"}})->multiplier(9, {200, 2048}), 1.0);
}

TEST(Linear, LengthOverridesTheRunsLength) {
  const auto linear = make<Scheduler>("linear", {{"length", "500 steps"}, {"floor", 0.2}});
  EXPECT_DOUBLE_EQ(linear->multiplier(250, kRun), 0.6);
  EXPECT_EQ(linear->multiplier(500, kRun), 0.2);
  EXPECT_EQ(linear->multiplier(999, kRun), 0.2);
}

TEST(Linear, WarmupThatFillsTheRunIsRefused) {
  const auto linear = make<Scheduler>("linear", {{"warmup", "100%"}});
  try {
    linear->multiplier(0, kRun);
    FAIL() << "taken";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("linear: warmup (1000 steps) must be shorter than length (1000 steps)"));
  }
}

}  // namespace
}  // namespace assay::testing
