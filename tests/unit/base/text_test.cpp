#include "base/text.h"

#include <gtest/gtest.h>

namespace assay::base {
namespace {

TEST(Text, Grouped) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
  EXPECT_EQ(grouped(-123), "-123");
}

TEST(Text, Plural) {
  EXPECT_EQ(plural(0, "run"), "0 runs");
  EXPECT_EQ(plural(1, "run"), "1 run");
  EXPECT_EQ(plural(12, "run"), "12 runs");
}

TEST(Text, WidthInCharacters) {
  EXPECT_EQ(width_of(""), 0u);
  EXPECT_EQ(width_of("caf\u00e9 \u2260"), 6u);
}

TEST(Text, ShellQuoting) {
  EXPECT_EQ(shell_quoted(""), "''");
  EXPECT_EQ(shell_quoted("a b"), "'a b'");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
}

}  // namespace
}  // namespace assay::base
