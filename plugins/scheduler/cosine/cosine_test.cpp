// Cosine decay against Megatron-LM's table (max 1e-3, min 1e-4, W = 100, T = 1000) and Chinchilla's form.
#include <gmock/gmock.h>

#include "assay/error.h"
#include "assay/scheduler.h"
#include "harness.h"

namespace assay::testing {
namespace {

using ::testing::HasSubstr;
constexpr RunLength kRun{1000, 2048};

TEST(Cosine, MegatronTable) {
  const auto cosine = make<Scheduler>("cosine", {{"warmup", "100 steps"}, {"floor", 0.1}});
  const auto lr = [&](int64_t n) { return 1e-3 * cosine->multiplier(n, kRun); };
  EXPECT_EQ(lr(0), 0);
  EXPECT_NEAR(lr(50), 5e-4, 1e-15);
  EXPECT_NEAR(lr(100), 1e-3, 1e-15);
  EXPECT_NEAR(lr(101), 9.999973e-4, 5e-11);
  EXPECT_NEAR(lr(550), 5.5e-4, 1e-15);
  EXPECT_NEAR(lr(850), 1.602886e-4, 5e-11);
  EXPECT_NEAR(lr(900), 1.271383e-4, 5e-11);
  EXPECT_NEAR(lr(1000), 1e-4, 1e-15);
  EXPECT_NEAR(lr(1001), 1e-4, 1e-15);
  EXPECT_NEAR(lr(1900), 1e-4, 1e-15);  // a cosine that continued would be back at the peak
}

TEST(Cosine, DefaultsAreChinchillas) {
  const auto cosine = make<Scheduler>("cosine");
  EXPECT_DOUBLE_EQ(cosine->multiplier(0, kRun), 1.0);
  EXPECT_DOUBLE_EQ(cosine->multiplier(500, kRun), 0.55);
  EXPECT_NEAR(cosine->multiplier(250, kRun), 0.1 + 0.9 * 0.85355339059327373, 1e-15);
  EXPECT_DOUBLE_EQ(cosine->multiplier(1000, kRun), 0.1);
}

TEST(Cosine, FollowsTheRunsOwnLength) {
  const auto cosine = make<Scheduler>("cosine", {{"warmup", "10%"}});
  EXPECT_DOUBLE_EQ(cosine->multiplier(10, {200, 2048}), 0.5);
  EXPECT_DOUBLE_EQ(cosine->multiplier(110, {200, 2048}), 0.55);
  EXPECT_DOUBLE_EQ(cosine->multiplier(200, {200, 2048}), 0.1);
}

// A cycle that is longer than the run ends before the minimum, as measured in Chinchilla.
TEST(Cosine, LengthOverridesTheRunsLength) {
  const auto cosine = make<Scheduler>("cosine", {{"length", "2000 steps"}, {"floor", 0.0}});
  EXPECT_DOUBLE_EQ(cosine->multiplier(1000, kRun), 0.5);
  EXPECT_NEAR(cosine->multiplier(2000, kRun), 0.0, 1e-16);
  const auto share = make<Scheduler>("cosine", {{"length", "200%"}, {"floor", 0.0}});
  EXPECT_DOUBLE_EQ(share->multiplier(1000, kRun), 0.5);
}

TEST(Cosine, WarmsUpFromItsStart) {
  const auto cosine = make<Scheduler>("cosine", {{"warmup", "100 steps"}, {"start", 0.2}});
  EXPECT_DOUBLE_EQ(cosine->multiplier(0, kRun), 0.2);
  EXPECT_DOUBLE_EQ(cosine->multiplier(50, kRun), 0.6);
}

TEST(Cosine, IsNeverNegativeNorAboveThePeak) {
  const auto cosine = make<Scheduler>("cosine", {{"warmup", "100 steps"}, {"floor", 0.0}});
  for (int64_t step = 0; step < 3000; ++step) {
    EXPECT_GE(cosine->multiplier(step, kRun), 0.0) << step;
    EXPECT_LE(cosine->multiplier(step, kRun), 1.0) << step;
  }
}

TEST(Cosine, WarmupThatFillsTheRunIsRefused) {
  const auto cosine = make<Scheduler>("cosine", {{"warmup", "1000 steps"}});
  try {
    cosine->multiplier(0, kRun);
    FAIL() << "taken";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("cosine: warmup (1000 steps) must be shorter than length (1000 steps)"));
  }
}

}  // namespace
}  // namespace assay::testing
