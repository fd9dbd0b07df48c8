// BERT's schedule against the table of its formula (peak 1e-4, T = 1000, W = 100), including the drop.
#include <gtest/gtest.h>

#include "assay/scheduler.h"
#include "harness.h"

namespace assay::testing {
namespace {

constexpr RunLength kRun{1000, 2048};

TEST(Bert, Table) {
  const auto bert = make<Scheduler>("bert", {{"warmup", "100 steps"}});
  const auto lr = [&](int64_t s) { return 1e-4 * bert->multiplier(s, kRun); };
  EXPECT_EQ(lr(0), 0);
  EXPECT_NEAR(lr(1), 1e-6, 1e-18);
  EXPECT_NEAR(lr(99), 9.9e-5, 1e-18);
  EXPECT_NEAR(lr(100), 9.0e-5, 1e-18);  // 1e-4 if the decay were counted from the end of the warm-up
  EXPECT_NEAR(lr(101), 8.99e-5, 1e-18);
  EXPECT_NEAR(lr(500), 5e-5, 1e-18);
  EXPECT_NEAR(lr(999), 1e-7, 1e-18);
  EXPECT_EQ(lr(1000), 0);
  EXPECT_EQ(lr(100000), 0);
}

TEST(Bert, DiffersFromLinearWhereTheWarmupEnds) {
  const auto bert = make<Scheduler>("bert", {{"warmup", "100 steps"}}),
             linear = make<Scheduler>("linear", {{"warmup", "100 steps"}});
  EXPECT_EQ(bert->multiplier(99, kRun), linear->multiplier(99, kRun));
  EXPECT_DOUBLE_EQ(bert->multiplier(100, kRun), 0.9);
  EXPECT_EQ(linear->multiplier(100, kRun), 1.0);
}

TEST(Bert, NeverReachesThePeakWithAWarmup) {
  const auto bert = make<Scheduler>("bert");  // a tenth of the run
  for (int64_t step = 0; step < 2000; ++step) EXPECT_LT(bert->multiplier(step, kRun), 1.0) << step;
  EXPECT_EQ(make<Scheduler>("bert", {{"warmup", "0 steps"}})->multiplier(0, kRun), 1.0);
}

// run_classifier's int(T * 0.1).
TEST(Bert, AFractionIsRoundedDown) {
  const auto bert = make<Scheduler>("bert");
  EXPECT_DOUBLE_EQ(bert->multiplier(9, {109, 32}), 0.9);
  EXPECT_DOUBLE_EQ(bert->multiplier(10, {109, 32}), 1.0 - 10.0 / 109);
}

}  // namespace
}  // namespace assay::testing
