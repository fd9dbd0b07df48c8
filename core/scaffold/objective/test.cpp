#include <gtest/gtest.h>

#include "assay/testing.h"

namespace {

using assay::testing::tiny_losses;

// Without the squared part it is cross entropy, which the stand-in objective of tiny runs is.
TEST(ScaffoldName, IsCrossEntropyAndMore) {
  const auto plain = tiny_losses("objective", "scaffold_name", R"({"square": 0})"),
             squared = tiny_losses("objective", "scaffold_name", R"({"square": 0.5})");
  const auto cross_entropy = tiny_losses("objective", "stand_in");
  for (size_t i = 0; i < plain.size(); ++i) EXPECT_NEAR(plain[i], cross_entropy[i], 1e-12);
  EXPECT_GT(squared[0], plain[0] + 0.5 * plain[0] * plain[0]);  // a mean of squares is above the squared mean
}

TEST(ScaffoldName, KeepsWhatItsKindPromises) {
  EXPECT_EQ(assay::testing::faults("objective", "scaffold_name"), std::vector<std::string>());
}

}  // namespace
