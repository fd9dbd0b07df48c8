// Characters that cannot be shown on a line become escapes; invalid UTF-8 becomes U+FFFD.
#include "base/printable.h"

#include <gtest/gtest.h>

namespace assay::base {
namespace {

TEST(Printable, KeepsPrintableText) {
  for (const char* text : {"", "plain", "C:\\new", "émigré ß Ω 漢字 🙂", "\u00a0\u200d\ufeff", "a|b <c> `d`"}) {
    EXPECT_EQ(printable(text), text);
    EXPECT_EQ(printable_lines(text), text);
    EXPECT_EQ(valid_utf8(text), text);
  }
}

TEST(Printable, EscapesControlsAndDirections) {
  EXPECT_EQ(printable("a\nb\tc\r\x1b[31m\x7f"), "a\\nb\\tc\\r\\x1b[31m\\x7f");
  EXPECT_EQ(printable(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("\u0085\u009b|\u061c|\u200e\u200f|\u2028\u2029|\u202a\u202e|\u2066\u2069"),
            "\\u0085\\u009b|\\u061c|\\u200e\\u200f|\\u2028\\u2029|\\u202a\\u202e|\\u2066\\u2069");
  EXPECT_EQ(printable_lines("a\nb\tc\r\x1b"), "a\nb\tc\\r\\x1b");
  EXPECT_EQ(valid_utf8("a\x1b\n\u202e"), "a\x1b\n\u202e");
}

// The Unicode Standard, table 3-7, and the sequences that it excludes.
TEST(Printable, ReplacesInvalidUtf8) {
  for (const char* bytes : {"\x80", "\xc3", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                            "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    std::string wanted;
    for (size_t i = 0; i < std::string(bytes).size(); ++i) wanted += "\ufffd";
    EXPECT_EQ(valid_utf8(std::string("a") + bytes + "b"), "a" + wanted + "b");
    EXPECT_EQ(printable(bytes), wanted);
  }
  for (const char* text : {"\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff"})
    EXPECT_EQ(valid_utf8(text), text);
}

}  // namespace
}  // namespace assay::base
