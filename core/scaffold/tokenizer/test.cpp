#include <gtest/gtest.h>

#include "assay/testing.h"
#include "assay/tokenizer.h"

namespace {

TEST(ScaffoldName, CapitalsAreAShiftAndALetter) {
  const auto tokenizer = assay::testing::make<assay::Tokenizer>("scaffold_name");
  EXPECT_EQ(tokenizer->encode("aB"), (std::vector<int32_t>{'a', 256, 'b'}));
  EXPECT_EQ(tokenizer->decode({256, 'b', 'c'}), "Bc");
}

TEST(ScaffoldName, KeepsWhatItsKindPromises) {
  EXPECT_EQ(assay::testing::faults("tokenizer", "scaffold_name"), std::vector<std::string>());
}

}  // namespace
