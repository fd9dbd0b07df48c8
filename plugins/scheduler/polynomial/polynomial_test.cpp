// Polynomial decay: worked-out values of its formula, and a line at power 1.
#include <gtest/gtest.h>

#include "assay/scheduler.h"
#include "harness.h"

namespace assay::testing {
namespace {

constexpr RunLength kRun{1000, 2048};

// W = 100: r is a third at 400 and two thirds at 700; (2/3)^2 = 4/9, (1/3)^2 = 1/9, with a floor of 0.1.
TEST(Polynomial, OfPowerTwo) {
  const auto square = make<Scheduler>("polynomial", {{"warmup", "100 steps"}, {"power", 2}, {"floor", 0.1}});
  EXPECT_EQ(square->multiplier(0, kRun), 0.0);
  EXPECT_EQ(square->multiplier(50, kRun), 0.5);
  EXPECT_DOUBLE_EQ(square->multiplier(100, kRun), 1.0);
  EXPECT_NEAR(square->multiplier(400, kRun), 0.5, 1e-15);
  EXPECT_NEAR(square->multiplier(700, kRun), 0.2, 1e-15);
  EXPECT_DOUBLE_EQ(square->multiplier(1000, kRun), 0.1);
  EXPECT_EQ(square->multiplier(2000, kRun), 0.1);
}

TEST(Polynomial, OfPowerOneIsLinear) {
  const auto one = make<Scheduler>("polynomial", {{"warmup", "5%"}, {"start", 0.2}, {"floor", 0.3}}),
             linear = make<Scheduler>("linear", {{"warmup", "5%"}, {"start", 0.2}, {"floor", 0.3}});
  for (int64_t step = 0; step < 1500; ++step) EXPECT_EQ(one->multiplier(step, kRun), linear->multiplier(step, kRun));
}

TEST(Polynomial, BelowOneItStaysHighAndEndsAtTheFloor) {
  const auto root = make<Scheduler>("polynomial", {{"power", 0.5}});
  EXPECT_DOUBLE_EQ(root->multiplier(750, kRun), 0.5);
  EXPECT_EQ(root->multiplier(1000, kRun), 0.0);
}

}  // namespace
}  // namespace assay::testing
