#include <gtest/gtest.h>

#include "assay/testing.h"

namespace {

using assay::testing::tiny_losses;

// Values of the first version: whatever moves them changes what every run of it learns.
TEST(ScaffoldName, Learns) {
  const auto losses = tiny_losses("model", "scaffold_name");
  const double golden[] = {5.48093552372, 4.86967160294, 4.20171222255};
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(losses[i], golden[i], 1e-9);
}

TEST(ScaffoldName, IsTheSameOnTwoRanks) {
  const auto one = tiny_losses("model", "scaffold_name"), two = tiny_losses("model", "scaffold_name", "{}", 2);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one[i], two[i], 1e-10);
}

TEST(ScaffoldName, KeepsWhatItsKindPromises) {
  EXPECT_EQ(assay::testing::faults("model", "scaffold_name"), std::vector<std::string>());
}

}  // namespace
