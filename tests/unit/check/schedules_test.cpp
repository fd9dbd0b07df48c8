// All schedules in the tree: none of them jumps, except BERT's at the end of its warm-up.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "assay/scheduler.h"
#include "harness.h"

namespace assay::testing {
namespace {

using nlohmann::json;

constexpr int64_t kSteps = 100'000, kWarmup = 5'000;
constexpr RunLength kRun{kSteps, 2048};

// Returns the largest change from one step to the next within the run, as a fraction of the peak rate, and its step.
// Every rate must be finite and valid, also past the end of the run.
std::pair<double, int64_t> largest_jump(const std::string& name, json given) {
  given["warmup"] = "5%";
  const auto scheduler = make<Scheduler>(name, given);
  std::pair<double, int64_t> largest{0, -1};
  double before = scheduler->multiplier(0, kRun), highest = before;
  for (int64_t step = 1; step < 2 * kSteps; ++step) {
    const double rate = scheduler->multiplier(step, kRun);
    EXPECT_TRUE(std::isfinite(rate) && rate >= 0) << name << given << step << ": " << rate;
    highest = std::max(highest, rate);
    if (const double jump = std::abs(rate - before); step <= kSteps && jump > largest.first) largest = {jump, step};
    before = rate;
  }
  return {largest.first / highest, largest.second};
}

TEST(Schedules, ChangeLittlePerStep) {
  const std::pair<const char*, json> all[] = {{"constant", json::object()},
                                              {"linear", {{"floor", 0.2}}},
                                              {"cosine", {{"length", "150%"}}},
                                              {"wsd", {{"style", "linear"}}},
                                              {"wsd", {{"style", "exponential"}, {"floor", 0.1}}},
                                              {"wsd", {{"style", "cosine"}}},
                                              {"inverse_sqrt", {{"floor", 0.3}}},
                                              {"polynomial", {{"power", 2}}},
                                              {"noam", {{"width", 64}}}};
  for (const auto& [name, given] : all) EXPECT_LE(largest_jump(name, given).first, 1.01 / kWarmup) << name << given;
}

// A square root falls steeply at first: by sqrt(1 / Td) at the first step of a decay of Td steps.
TEST(Schedules, MinusSqrtFallsSteeplyAtOnce) {
  const auto [jump, step] = largest_jump("wsd", {{"style", "minus_sqrt"}});
  EXPECT_EQ(step, 90'001);
  EXPECT_NEAR(jump, 0.01, 1e-12);
}

TEST(Schedules, BertsDropsWhereItsWarmupEnds) {
  const auto [jump, step] = largest_jump("bert", json::object());
  EXPECT_EQ(step, kWarmup);
  EXPECT_NEAR(jump * (1.0 - 1.0 / kWarmup), 0.05 - 1.0 / kWarmup, 1e-12);  // from (W - 1) / W to 1 - W / T
}

}  // namespace
}  // namespace assay::testing
