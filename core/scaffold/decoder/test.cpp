#include <gtest/gtest.h>

#include "assay/testing.h"

namespace {

TEST(ScaffoldName, RepeatsNoneOfTheLastTokens) {
  const auto ids = assay::testing::tiny_decode("scaffold_name", R"({"last": 2})");
  ASSERT_EQ(ids.size(), 12U);
  EXPECT_EQ(std::vector<int64_t>(ids.begin(), ids.begin() + 4), (std::vector<int64_t>{26, 1, 98, 158}));
  for (size_t i = 2; i < ids.size(); ++i) {
    EXPECT_NE(ids[i], ids[i - 1]);
    EXPECT_NE(ids[i], ids[i - 2]);
  }
}

TEST(ScaffoldName, KeepsWhatItsKindPromises) {
  EXPECT_EQ(assay::testing::faults("decoder", "scaffold_name"), std::vector<std::string>());
}

}  // namespace
