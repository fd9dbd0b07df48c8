// The inverse square root against Megatron-LM's table (max 1e-3, min 1e-4, W = 100, T = 1000).
#include <gtest/gtest.h>

#include <cmath>

#include "assay/scheduler.h"
#include "harness.h"

namespace assay::testing {
namespace {

constexpr RunLength kRun{1000, 2048};

TEST(InverseSqrt, MegatronTable) {
  const auto inverse = make<Scheduler>("inverse_sqrt", {{"warmup", "100 steps"}, {"floor", 0.1}});
  const auto lr = [&](int64_t n) { return 1e-3 * inverse->multiplier(n, kRun); };
  EXPECT_EQ(lr(0), 0);
  EXPECT_NEAR(lr(50), 5e-4, 1e-15);
  EXPECT_NEAR(lr(100), 1e-3, 1e-15);
  EXPECT_NEAR(lr(101), 9.950372e-4, 5e-11);
  EXPECT_NEAR(lr(550), 4.264014e-4, 5e-11);
  EXPECT_NEAR(lr(850), 3.429972e-4, 5e-11);
  EXPECT_NEAR(lr(900), 3.333333e-4, 5e-11);
  EXPECT_NEAR(lr(1000), 3.162278e-4, 5e-11);
  EXPECT_NEAR(lr(1001), 1e-4, 1e-15);  // the jump at T
}

TEST(InverseSqrt, TheFloorHoldsBeforeTheEnd) {
  const auto inverse = make<Scheduler>("inverse_sqrt", {{"warmup", "10 steps"}, {"floor", 0.5}});
  EXPECT_DOUBLE_EQ(inverse->multiplier(30, kRun), std::sqrt(1.0 / 3));
  EXPECT_EQ(inverse->multiplier(41, kRun), 0.5);
}

TEST(InverseSqrt, WithoutWarmupTheFirstTwoUpdatesHaveThePeak) {
  const auto inverse = make<Scheduler>("inverse_sqrt", {{"warmup", "0 steps"}});
  EXPECT_EQ(inverse->multiplier(0, kRun), 1.0);
  EXPECT_EQ(inverse->multiplier(1, kRun), 1.0);
  EXPECT_EQ(inverse->multiplier(4, kRun), 0.5);
}

}  // namespace
}  // namespace assay::testing
