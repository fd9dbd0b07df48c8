#include <gtest/gtest.h>

#include "assay/testing.h"

namespace {

using assay::testing::tiny_losses;

// Without the squared part it is cross entropy: about ln 257 where nothing is known yet, and it falls.
TEST(ScaffoldName, IsCrossEntropyAndMore) {
  const auto plain = tiny_losses("objective", "scaffold_name", R"({"square": 0})"),
             squared = tiny_losses("objective", "scaffold_name", R"({"square": 0.5})");
  EXPECT_NEAR(plain[0], 5.9, 0.5);
  EXPECT_LT(plain[2], plain[0]);
  EXPECT_GT(squared[0], plain[0] + 0.5 * plain[0] * plain[0]);  // a mean of squares is above the squared mean
}

}  // namespace
