// Layouts and cuts against the values of the reference's permute, and the lengths of parts against two uniform draws.
#include "../../shared/fim_layout.h"

#include <gmock/gmock.h>

#include <cmath>
#include <map>

#include "../../shared/fim_cuts.h"
#include "shown.h"

namespace assay::testing {
namespace {

using fim::Layout;
using ::testing::ElementsAre;
using ::testing::Pair;

std::string laid(Layout layout, const std::string& text, size_t first, size_t second) {
  return shown(
      fim::lay_out(
          layout, {bytes(text.substr(0, first)), bytes(text.substr(first, second - first)), bytes(text.substr(second))},
          kSentinels)
          .tokens);
}

TEST(FimLayout, MatchesTheReference) {
  const std::string text = "hello world";
  EXPECT_EQ(laid(Layout::kPsm, text, 3, 7), "<PRE>hel<SUF>orld<MID>lo w");
  EXPECT_EQ(laid(Layout::kSpmV2, text, 3, 7), "<PRE><SUF>orld<MID>hello w");
  EXPECT_EQ(laid(Layout::kSpmV1, text, 3, 7), "<SUF>orld<PRE>hel<MID>lo w");
  EXPECT_EQ(laid(Layout::kPsm, text, 0, 11), "<PRE><SUF><MID>hello world");
  EXPECT_EQ(laid(Layout::kPsm, text, 0, 0), "<PRE><SUF>hello world<MID>");
  EXPECT_EQ(laid(Layout::kPsm, text, 11, 11), "<PRE>hello world<SUF><MID>");
  EXPECT_EQ(laid(Layout::kPsm, text, 5, 5), "<PRE>hello<SUF> world<MID>");
  EXPECT_EQ(laid(Layout::kPsm, text, 0, 4), "<PRE><SUF>o world<MID>hell");
  EXPECT_EQ(laid(Layout::kSpmV2, text, 0, 4), laid(Layout::kPsm, text, 0, 4));  // why training on one helps the other
  EXPECT_EQ(fim::lay_out(Layout::kPsm, {bytes("hel"), bytes("lo w"), bytes("orld")}, kSentinels).tokens,
            (Ids{257, 104, 101, 108, 259, 111, 114, 108, 100, 258, 108, 111, 32, 119}));
  EXPECT_EQ(fim::lay_out(Layout::kSpmV2, {bytes("hel"), bytes("lo w"), bytes("orld")}, kSentinels).tokens,
            (Ids{257, 259, 111, 114, 108, 100, 258, 104, 101, 108, 108, 111, 32, 119}));
}

TEST(FimLayout, SentinelsBeginParts) {
  const auto parts = [](Layout layout) {
    std::string text;
    for (const auto part : fim::lay_out(layout, {bytes("aa"), bytes("b"), bytes("cc")}, kSentinels).part)
      text += "wpms"[static_cast<size_t>(part)];
    return text;
  };
  EXPECT_EQ(parts(Layout::kPsm), "pppsssmm");
  EXPECT_EQ(parts(Layout::kSpmV1), "ssspppmm");
  EXPECT_EQ(parts(Layout::kSpmV2), "psssmmmm");
}

TEST(FimCuts, FallBetweenCodePoints) {
  const std::string text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";
  EXPECT_THAT(fim::boundaries(text), ElementsAre(0, 1, 3, 6, 10, 11));
  // Invalid UTF-8: a lone continuation byte, a lead byte without its rest, an overlong encoding, a code point beyond
  // Unicode.
  EXPECT_THAT(fim::boundaries("\x80\xC3z"), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(fim::boundaries("\xC0\xAF"), ElementsAre(0, 1, 2));
  EXPECT_THAT(fim::boundaries("\xF5\x80\x80\x80"), ElementsAre(0, 1, 2, 3, 4));
  for (const auto* none : {"\xE0\x80\x80", "\xED\xA0\x80"}) EXPECT_THAT(fim::boundaries(none), ElementsAre(0, 1, 2, 3));
  for (const auto* none : {"\xF0\x80\x80\x80", "\xF4\x90\x80\x80"})
    EXPECT_THAT(fim::boundaries(none), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(fim::boundaries(""), ElementsAre(0));
  // A character cut by the edge of the sequence, after each of its bytes.
  const std::string euro = "\xE2\x82\xAC", smile = "\xF0\x9F\x98\x80";
  for (size_t kept = 1; kept < 4; ++kept) {
    EXPECT_EQ(fim::fragment_behind("ab" + smile.substr(0, kept)), kept);
    EXPECT_EQ(fim::fragment_in_front(smile.substr(4 - kept) + "ab"), kept);
  }
  EXPECT_EQ(fim::fragment_behind("ab" + euro), 0u);
  EXPECT_EQ(fim::fragment_behind("ab" + euro.substr(0, 2)), 2u);
  EXPECT_EQ(fim::fragment_behind("ab"), 0u);
  EXPECT_EQ(fim::fragment_behind("\x80"), 0u);  // not part of a character
  EXPECT_EQ(fim::fragment_in_front(euro + "ab"), 0u);
}

TEST(FimCuts, PartLengthsAreThoseOfTwoUniformDraws) {
  for (const double n : {1.0, 2.0, 8.0}) {
    constexpr int kDraws = 40000;
    double prefix = 0, middle = 0, suffix = 0, no_prefix = 0, no_middle = 0;
    for (uint64_t i = 0; i < kDraws; ++i) {
      const auto [first, second] = fim::draw_cuts(static_cast<size_t>(n) + 1, true, Draws(1, "t").substream(i));
      prefix += static_cast<double>(first);
      middle += static_cast<double>(second - first);
      suffix += n - static_cast<double>(second);
      no_prefix += first == 0;
      no_middle += first == second;
    }
    const double error = 5 * n / std::sqrt(static_cast<double>(kDraws));  // above five standard errors of any of these
    EXPECT_NEAR(prefix / kDraws, n * (2 * n + 1) / (6 * (n + 1)), error);
    EXPECT_NEAR(suffix / kDraws, n * (2 * n + 1) / (6 * (n + 1)), error);
    EXPECT_NEAR(middle / kDraws, n * (n + 2) / (3 * (n + 1)), error);
    EXPECT_NEAR(no_middle / kDraws, 1 / (n + 1), 0.0125);
    EXPECT_NEAR(no_prefix / kDraws, 1 - std::pow(n / (n + 1), 2), 0.0125);
  }
}

TEST(FimCuts, LeaveNoPartEmptyIfConfigured) {
  std::map<std::pair<size_t, size_t>, int> seen;
  for (uint64_t i = 0; i < 3000; ++i) ++seen[fim::draw_cuts(5, false, Draws(2, "t").substream(i))];
  ASSERT_THAT(seen, ElementsAre(Pair(Pair(1, 2), ::testing::_), Pair(Pair(1, 3), ::testing::_),
                                Pair(Pair(2, 3), ::testing::_)));
  for (const auto& [cuts, count] : seen) EXPECT_NEAR(count, 1000, 130);
}

}  // namespace
}  // namespace assay::testing
