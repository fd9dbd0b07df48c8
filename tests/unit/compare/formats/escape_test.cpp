// Escapes by the rules of each format; tests/report/labels_test.py parses them with readers of the formats.
#include "compare/formats/escape.h"

#include <gtest/gtest.h>

#include "compare/formats/csv.h"

namespace assay::compare {
namespace {

// CommonMark 0.30, sec. 2.4, 6.2 and 6.6; GFM 0.29, sec. 4.10 and 6.5.
TEST(Escape, MarkdownWithinALine) {
  EXPECT_EQ(escaped_markdown("lm.bits_per_byte@length=64 <0.0001 -1 [2, 3] R & D 5% #1"),
            "lm.bits_per_byte@length=64 <0.0001 -1 [2, 3] R & D 5% #1");
  EXPECT_EQ(escaped_markdown("a|b *c* `d` ~~e~~ $f$ \\g"), "a\\|b \\*c\\* \\`d\\` \\~\\~e\\~\\~ \\$f\\$ \\\\g");
  EXPECT_EQ(escaped_markdown("_a_ b__c _"), "\\_a\\_ b\\_\\_c \\_");
  EXPECT_EQ(escaped_markdown("<b> </b> <!-- <? a<b <3"), "\\<b> \\</b> \\<!-- \\<? a\\<b <3");
  EXPECT_EQ(escaped_markdown("&lt; &#33; R&D a & b"), "\\&lt; \\&#33; R\\&D a & b");
  EXPECT_EQ(escaped_markdown("[a](b) [a][b] [a]: b [a] b"), "[a\\](b) [a\\][b] [a\\]: b [a] b");
  EXPECT_EQ(escaped_markdown("a\nb"), "a\\\\nb");
}

TEST(Escape, MarkdownAtTheBeginOfABlock) {
  EXPECT_EQ(markdown_line("plain - 1. text"), "plain - 1. text");
  for (const char* text : {"# a", "+ a", "- a", "> a", "=", "[ ] a"})
    EXPECT_EQ(markdown_line(text), "\\" + std::string(text));
  EXPECT_EQ(markdown_line("12. a"), "12\\. a");
  EXPECT_EQ(markdown_line("1) a"), "1\\) a");
  EXPECT_EQ(markdown_line("1.5 a"), "1\\.5 a");
  EXPECT_EQ(markdown_line("    a"), "&#32;   a");
  EXPECT_EQ(markdown_line(""), "");
}

// CommonMark 0.30, sec. 6.1.
TEST(Escape, MarkdownCode) {
  EXPECT_EQ(markdown_code("left < right"), "`left < right`");
  EXPECT_EQ(markdown_code("a`b"), "`` a`b ``");
  EXPECT_EQ(markdown_code("``"), "``` `` ```");
  EXPECT_EQ(markdown_code(" a "), "`  a  `");
  EXPECT_EQ(markdown_code("a\nb"), "`a\\nb`");
}

TEST(Escape, Latex) {
  EXPECT_EQ(escaped_latex("a_b & 5% #1 $x$ {y}"), "a\\_b \\& 5\\% \\#1 \\$x\\$ \\{y\\}");
  EXPECT_EQ(escaped_latex("2.1 \u00b1 0.2 \u00e9"), "2.1 $\\pm$ 0.2 \u00e9");
  EXPECT_EQ(escaped_latex("<|> ~^\\"),
            "\\textless{}\\textbar{}\\textgreater{} \\textasciitilde{}\\textasciicircum{}"
            "\\textbackslash{}");
  EXPECT_EQ(escaped_latex("\"`'"), "\\texttt{\\char34}\\textasciigrave{}\\textquotesingle{}");
  EXPECT_EQ(escaped_latex("--- ,, -1"), "-{}-{}- ,{}, -1");
  EXPECT_EQ(escaped_latex("[3pt]*"), "{[}3pt]{*}");
  EXPECT_EQ(latex_comment("a\n\\end{document}"), "% a\\n\\end{document}\n");
}

TEST(Escape, Html) {
  EXPECT_EQ(escaped_html("<a href=\"b\" c='d'>&amp;"), "&lt;a href=&quot;b&quot; c=&#39;d&#39;&gt;&amp;amp;");
  EXPECT_EQ(escaped_html("a\n\x1b\xff"), "a\n\\x1b\ufffd");
}

// RFC 4180, and characters that pandas and R would take for the end of the text.
TEST(Escape, Csv) {
  EXPECT_EQ(csv_line({"a", "b,c", "say \"d\"", "e\nf", "#g", "=1+1", "-1", ""}),
            "a,\"b,c\",\"say \"\"d\"\"\",\"e\nf\",\"#g\",=1+1,-1,\n");
  EXPECT_EQ(csv_line({std::string("a\0b", 3), "\xff\xc3\xa9"}), "a\ufffdb,\ufffd\u00e9\n");
}

}  // namespace
}  // namespace assay::compare
