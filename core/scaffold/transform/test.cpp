#include <gtest/gtest.h>

#include "assay/testing.h"
#include "assay/transform.h"

namespace assay::testing {
namespace {

TEST(ScaffoldName, TurnsWordsRound) {
  const auto transform = make<Transform>("scaffold_name", R"({"rate": 1})");
  Sample sample;
  sample.text = "one two  three";
  transform->apply(sample, Draws(1, "test"));
  EXPECT_EQ(sample.text, "three  two one");
}

TEST(ScaffoldName, NeverAtARateOfZero) {
  const auto transform = make<Transform>("scaffold_name", R"({"rate": 0})");
  Sample sample;
  sample.text = "one two";
  transform->apply(sample, Draws(1, "test"));
  EXPECT_EQ(sample.text, "one two");
}

TEST(ScaffoldName, KeepsWhatItsKindPromises) {
  EXPECT_EQ(assay::testing::faults("transform", "scaffold_name"), std::vector<std::string>());
}

}  // namespace
}  // namespace assay::testing
