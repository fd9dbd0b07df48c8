#include "study/equal_cost.h"

#include <gtest/gtest.h>

namespace assay::study {
namespace {

TEST(EqualCost, NamesTheCheapestAndTheMostExpensive) {
  const EqualCost equal{"train.steps", 0.02, {}};
  EXPECT_FALSE(excessive_gap(equal, {}));
  EXPECT_FALSE(excessive_gap(equal, {{"a", 100}}));
  EXPECT_FALSE(excessive_gap(equal, {{"a", 100}, {"b", 102}}));
  const auto gap = excessive_gap(equal, {{"a", 110}, {"b", 100}, {"c", 125}, {"d", 125}, {"e", 100}});
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->least.label, "b");
  EXPECT_EQ(gap->most.label, "c");
  EXPECT_EQ(gap->percent, 25);
  EXPECT_EQ(gap->allowed, 2);
}

}  // namespace
}  // namespace assay::study
