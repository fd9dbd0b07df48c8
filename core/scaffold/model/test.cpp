#include <gtest/gtest.h>

#include "assay/testing.h"

namespace {

using assay::testing::tiny_losses;

TEST(ScaffoldName, Learns) {
  const auto losses = tiny_losses("model", "scaffold_name", "{}", 1, 10);
  EXPECT_LT(losses.back(), losses.front());
}

TEST(ScaffoldName, IsTheSameOnTwoRanks) {
  const auto one = tiny_losses("model", "scaffold_name"), two = tiny_losses("model", "scaffold_name", "{}", 2);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one[i], two[i], 1e-10);
}

TEST(ScaffoldName, KeepsWhatItsKindPromises) {
  EXPECT_EQ(assay::testing::faults("model", "scaffold_name"), std::vector<std::string>());
}

}  // namespace
