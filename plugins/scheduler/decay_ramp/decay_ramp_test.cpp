// Increasing weight decay: Megatron's linear and cosine increments worked out by hand; the child sets the rate.
#include <gtest/gtest.h>

#include "assay/scheduler.h"
#include "harness.h"

namespace assay::testing {
namespace {

using nlohmann::json;
constexpr RunLength kRun{1000, 2048};
const json kRate = {{"use", "linear"}, {"warmup", "100 steps"}};

TEST(DecayRamp, GrowsLinearly) {
  const auto ramp = make<Scheduler>("decay_ramp", {{"rate", kRate}, {"start", 0.2}});
  EXPECT_DOUBLE_EQ(ramp->decay_multiplier(0, kRun), 0.2);
  EXPECT_DOUBLE_EQ(ramp->decay_multiplier(250, kRun), 0.4);
  EXPECT_DOUBLE_EQ(ramp->decay_multiplier(1000, kRun), 1.0);
  EXPECT_EQ(ramp->decay_multiplier(5000, kRun), 1.0);
}

// (1 - cos(pi / 4)) / 2 = 0.14644660940672624, and half at half-way.
TEST(DecayRamp, GrowsAsACosine) {
  const auto ramp = make<Scheduler>("decay_ramp", {{"rate", kRate}, {"style", "cosine"}, {"length", "50%"}});
  EXPECT_EQ(ramp->decay_multiplier(0, kRun), 0.0);
  EXPECT_NEAR(ramp->decay_multiplier(125, kRun), 0.14644660940672624, 1e-15);
  EXPECT_DOUBLE_EQ(ramp->decay_multiplier(250, kRun), 0.5);
  EXPECT_EQ(ramp->decay_multiplier(500, kRun), 1.0);
}

TEST(DecayRamp, LeavesTheRateToItsChild) {
  const auto ramp = make<Scheduler>("decay_ramp", {{"rate", kRate}});
  const auto linear = make<Scheduler>("linear", {{"warmup", "100 steps"}});
  for (const int64_t step : {0, 50, 100, 700, 1000, 1500})
    EXPECT_EQ(ramp->multiplier(step, kRun), linear->multiplier(step, kRun)) << step;
}

TEST(DecayRamp, RampsMultiply) {
  const json inner = {{"use", "decay_ramp"}, {"rate", "constant"}, {"start", 0.5}};
  const auto both = make<Scheduler>("decay_ramp", {{"rate", inner}, {"start", 0.5}});
  EXPECT_DOUBLE_EQ(both->decay_multiplier(500, kRun), 0.75 * 0.75);
}

}  // namespace
}  // namespace assay::testing
