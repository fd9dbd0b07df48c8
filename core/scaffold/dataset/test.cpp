#include <gtest/gtest.h>

#include <cstdio>

#include "assay/dataset.h"
#include "assay/testing.h"

namespace {

using assay::Split;

TEST(ScaffoldName, SumsAreRight) {
  const auto dataset = assay::testing::make<assay::Dataset>("scaffold_name", R"({"documents": 50})");
  EXPECT_EQ(dataset->size(Split::kTrain), 50);
  EXPECT_EQ(dataset->size(Split::kTest), 5);
  EXPECT_EQ(dataset->document(Split::kTrain, 0).text, "51+72=123\n");
  for (int64_t i = 0; i < 50; ++i) {
    long a = 0, b = 0, c = 0;
    ASSERT_EQ(std::sscanf(dataset->document(Split::kTrain, i).text.c_str(), "%ld+%ld=%ld", &a, &b, &c), 3);
    EXPECT_EQ(a + b, c);
  }
}

TEST(ScaffoldName, KeepsWhatItsKindPromises) {
  EXPECT_EQ(assay::testing::faults("dataset", "scaffold_name"), std::vector<std::string>());
}

}  // namespace
