#include <gtest/gtest.h>

#include "assay/testing.h"

namespace {

TEST(ScaffoldName, KeepsWhatItsKindPromises) {
  EXPECT_EQ(assay::testing::faults("attack", "scaffold_name"), std::vector<std::string>());
}

}  // namespace
