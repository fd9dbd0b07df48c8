#include "record/branch.h"

#include <gtest/gtest.h>

#include "assay/error.h"

namespace assay::record {
namespace {

TEST(Branch, TextAndBack) {
  const std::vector<Branch> branches{{"abc", 36}, {"d", 7}};
  EXPECT_EQ(text_of(branches), "abc:36,d:7");
  const auto again = parse_branches("abc:36,d:7");
  ASSERT_EQ(again.size(), 2);
  EXPECT_EQ(again[1].run, "d");
  EXPECT_EQ(again[1].step, 7);
  EXPECT_TRUE(parse_branches("").empty());
  for (const char* wrong : {"abc", "abc:", "abc:x", "abc:0", "a:1,b"})
    EXPECT_THROW(parse_branches(wrong), UserError) << wrong;
}

}  // namespace
}  // namespace assay::record
