#include <gtest/gtest.h>

#include "assay/testing.h"

namespace {

TEST(ScaffoldName, GivesAShare) {
  const auto metrics = assay::testing::tiny_metrics("scaffold_name");
  ASSERT_EQ(metrics.size(), 1U);
  EXPECT_GE(metrics.at("accuracy"), 0);
  EXPECT_LT(metrics.at("accuracy"), 0.5);  // of a model that has seen nothing
}

TEST(ScaffoldName, KeepsWhatItsKindPromises) {
  EXPECT_EQ(assay::testing::faults("evaluator", "scaffold_name"), std::vector<std::string>());
}

}  // namespace
