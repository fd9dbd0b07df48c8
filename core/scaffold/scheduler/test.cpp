#include <gtest/gtest.h>

#include "assay/scheduler.h"
#include "assay/testing.h"

namespace {

TEST(ScaffoldName, HasTheRatesOfItsFormula) {
  const auto scheduler = assay::testing::make<assay::Scheduler>("scaffold_name", R"({"floor": 0.1})");
  const assay::RunLength run{100, 64};
  EXPECT_DOUBLE_EQ(scheduler->multiplier(0, run), 1.0);
  EXPECT_DOUBLE_EQ(scheduler->multiplier(50, run), 0.1 + 0.9 * 0.25);
  EXPECT_DOUBLE_EQ(scheduler->multiplier(200, run), 0.1);
}

TEST(ScaffoldName, KeepsWhatItsKindPromises) {
  EXPECT_EQ(assay::testing::faults("scheduler", "scaffold_name"), std::vector<std::string>());
}

}  // namespace
