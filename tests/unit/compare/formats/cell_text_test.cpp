#include "compare/formats/cell_text.h"

#include <gtest/gtest.h>

namespace assay::compare {
namespace {

std::string text(double mean, double half_width, const Column& column = {}) {
  return summary_text({3, mean, half_width, half_width}, column);
}

TEST(SummaryText, TwoDigitsOfTheInterval) {
  EXPECT_EQ(text(2.13333, 0.379458), "2.13 ± 0.38");
  EXPECT_EQ(text(2.13333, 0.0379458), "2.133 ± 0.038");
  EXPECT_EQ(text(17012.4, 523.7), "17012 ± 524");
  EXPECT_EQ(text(17012.4, 12.3), "17012 ± 12");
  EXPECT_EQ(text(17012.4, 1.23), "17012.4 ± 1.2");
  EXPECT_EQ(text(0.5, 0), "0.5 ± 0");
  EXPECT_EQ(text(4.17e12, 1e10), "4.17e+12 ± 1e+10");
}

TEST(SummaryText, WithoutAnInterval) {
  EXPECT_EQ(summary_text({1, 2.104567, {}, {}}, {}), "2.1046");
  EXPECT_EQ(summary_text({1, 347136, {}, {}}, {}), "347136");
  EXPECT_EQ(summary_text({1, 4.1678e12, {}, {}}, {}), "4.168e+12");
  const Column counts{.exact = true};
  EXPECT_EQ(text(347136, 0, counts), "347136");
  EXPECT_EQ(text(100, 2.5, counts), "100.0 ± 2.5");
}

TEST(SummaryText, InTheTitlesUnit) {
  EXPECT_EQ(text(104857600, 1048576, {.shown_factor = 1.0 / (1 << 20)}), "100.0 ± 1.0");
}

TEST(CountText, NamesWhatIsMissingAndWhy) {
  EXPECT_EQ(count_text({.planned = 6, .present = 6}), "6");
  EXPECT_EQ(count_text({.planned = 6, .present = 5, .failed = 1}), "5/6 (1 failed)");
  EXPECT_EQ(count_text({.planned = 6, .present = 3, .failed = 1, .diverged = 1, .missing = 1}),
            "3/6 (1 pending, 1 failed, 1 diverged)");
  EXPECT_EQ(count_text({.planned = 6, .present = 6, .stale = 2}), "6 (2 stale)");
}

TEST(CellText, RepeatsTheCountOnlyWhereItDiffers) {
  const Count row{.planned = 3, .present = 2, .failed = 1};
  Cell cell{.summary = {2, 1.5, 0.1, 0.25}, .values = {}, .count = row};
  EXPECT_EQ(cell_text(cell, {}, row), "1.50 ± 0.25");
  cell.count = {.planned = 3, .present = 2, .not_applicable = 1};
  EXPECT_EQ(cell_text(cell, {}, row), "1.50 ± 0.25  n=2/3 (1 n/a)");
  cell.count = {.planned = 3, .failed = 3};
  EXPECT_EQ(cell_text(cell, {}, row), "0/3 (3 failed)");
  cell.count = {.planned = 3, .not_applicable = 3};
  EXPECT_EQ(cell_text(cell, {}, row), "n/a");
}

}  // namespace
}  // namespace assay::compare
