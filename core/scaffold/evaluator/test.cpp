#include <gtest/gtest.h>

#include "assay/testing.h"

namespace {

// Four documents of the tiny run, 12 tokens each; a model that has seen nothing is right once.
TEST(ScaffoldName, GivesAShare) {
  const auto metrics = assay::testing::tiny_metrics("scaffold_name");
  ASSERT_EQ(metrics.size(), 1U);
  EXPECT_DOUBLE_EQ(metrics.at("accuracy"), 1.0 / 48);
}

TEST(ScaffoldName, KeepsWhatItsKindPromises) {
  EXPECT_EQ(assay::testing::faults("evaluator", "scaffold_name"), std::vector<std::string>());
}

}  // namespace
