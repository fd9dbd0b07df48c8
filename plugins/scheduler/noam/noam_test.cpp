// The transformer's schedule against its formula, worked out by hand at the paper's size (width 512, W = 4000).
#include <gtest/gtest.h>

#include <cmath>

#include "assay/scheduler.h"
#include "harness.h"

namespace assay::testing {
namespace {

constexpr RunLength kRun{100000, 2048};

TEST(Noam, TheBaseModelOfThePaper) {
  const auto noam = make<Scheduler>("noam", {{"width", 512}});
  const auto lr = [&](int64_t n) { return noam->multiplier(n - 1, kRun); };  // n counts from 1
  EXPECT_NEAR(lr(1), 1.7469281074217108e-7, 1e-20);                          // 1 / (sqrt(512) * 4000^1.5)
  EXPECT_NEAR(lr(2000), 3.4938562148434214e-4, 1e-16);                       // half of the peak
  EXPECT_NEAR(lr(4000), 6.987712429686843e-4, 1e-16);                        // 1 / sqrt(512 * 4000)
  EXPECT_NEAR(lr(16000), 3.4938562148434214e-4, 1e-16);                      // at four times W: half
  EXPECT_NEAR(lr(100000), 1.3975424859373687e-4, 1e-16);                     // at 25 times W: a fifth
}

TEST(Noam, RisesToItsHighestRateAndFalls) {
  const auto noam = make<Scheduler>("noam", {{"width", 64}, {"warmup", "1%"}});
  for (int64_t step = 0; step < 3000; ++step) {
    const bool rises = noam->multiplier(step + 1, kRun) > noam->multiplier(step, kRun);
    EXPECT_EQ(rises, step + 1 < 1000) << step;
  }
}

TEST(Noam, WithoutWarmupItOnlyFalls) {
  const auto noam = make<Scheduler>("noam", {{"width", 4}, {"warmup", "0 steps"}});
  EXPECT_EQ(noam->multiplier(0, kRun), 0.5);
  EXPECT_EQ(noam->multiplier(3, kRun), 0.25);
}

}  // namespace
}  // namespace assay::testing
