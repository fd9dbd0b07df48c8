// Rows with missing values beside their baseline: their remaining values decide nothing.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "compare/formats/cell_text.h"
#include "compare/formats/format.h"
#include "unit/compare/table/three_rows.h"

namespace assay::compare {
namespace {

using nlohmann::json;
using testing::add_bits;
using ::testing::HasSubstr;
using testing::request_of;
using testing::ResultsBuilder;
using testing::Three;

// far is lower by 0.5 on six of seven seeds, and the seventh is lost: the six alone give no star.
TEST_F(Three, AnIncompletePairHasNoStar) {
  results_.finished({.scheme = "base", .seed = 7}, {{64, 2.0}});
  results_.failed({.scheme = "far", .seed = 7}, "bug");
  results_.failed({.scheme = "near", .seed = 7}, "non_finite");
  const auto table = collect(testing::request_of(results_));
  const auto& far = *table.rows[2].cells[0].comparison;
  EXPECT_FALSE(far.separable);
  EXPECT_EQ(far.p_holm, 1);
  EXPECT_EQ(far.pairs, (Count{.planned = 7, .present = 6, .failed = 1}));
  const auto grid = comparison_grid(table);
  EXPECT_EQ(grid[1][4], "incomplete");
  EXPECT_EQ(grid[1][6], "6 of 7: 1 diverged");
  EXPECT_EQ(grid[2][4], "incomplete");
  EXPECT_EQ(grid[2][6], "6 of 7: 1 failed");
  const auto comparison = json::parse(format_json(table))["rows"][2]["cells"][0]["comparison"];
  EXPECT_TRUE(comparison["p_holm"].is_null());
  EXPECT_EQ(comparison["pairs"]["failed"], 1);
  EXPECT_EQ(comparison["complete"], false);
  EXPECT_THAT(format_csv(table), HasSubstr(",incomplete,"));
}

// Rows that are not compared yet already count as members of the family, so that later comparisons do not change the
// decision.
TEST_F(Three, PendingRowsAreMembersOfTheFamily) {
  const double alone = collect(testing::request_of(results_)).rows[2].cells[0].comparison->difference.p;
  for (int seed = 1; seed <= 6; ++seed) results_.plan({.scheme = "later", .seed = seed});
  const auto table = collect(testing::request_of(results_));
  EXPECT_FALSE(table.rows[3].cells[0].comparison);
  EXPECT_DOUBLE_EQ(table.rows[2].cells[0].comparison->p_holm, 3 * alone);
  EXPECT_TRUE(table.rows[2].cells[0].comparison->separable);
}

// far against base alone, and as one of two members while near is open: a comparison that can never be decided is not a
// member, whether or not enough of its values exist for a difference; one that can still be decided is.
TEST_F(Three, ComparisonsThatCannotBeDecidedAreNotInTheFamily) {
  const double alone = collect(testing::request_of(results_)).rows[2].cells[0].comparison->difference.p;
  const auto times = [&](const auto& add) {
    ResultsBuilder results;
    testing::add_bits(results, {.scheme = "base"}, {2.5, 2.5, 2.8, 2.8, 2.8, 3.1});
    testing::add_bits(results, {.scheme = "far"}, {2.0, 2.1, 2.2, 2.3, 2.4, 2.5});
    add(results);
    return collect(testing::request_of(results)).rows[1].cells[0].comparison->p_holm / alone;
  };
  const auto near = [](int values, const std::string& failure) {
    return [=](ResultsBuilder& results) {
      for (int seed = 1; seed <= 6; ++seed)
        if (seed <= values)
          results.finished({.scheme = "near", .seed = seed}, {{64, 2.4 + 0.1 * seed}});
        else if (failure.empty())
          results.plan({.scheme = "near", .seed = seed});
        else
          results.failed({.scheme = "near", .seed = seed}, failure);
    };
  };
  for (const int values : {5, 1}) {  // with a difference and without one
    EXPECT_DOUBLE_EQ(times(near(values, "non_finite")), 1) << values;
    EXPECT_DOUBLE_EQ(times(near(values, "bug")), 2) << values;
    EXPECT_DOUBLE_EQ(times(near(values, "")), 2) << values;
  }
  EXPECT_DOUBLE_EQ(times([](ResultsBuilder& results) {
                     for (int seed = 1; seed <= 6; ++seed)
                       results.finished({.scheme = "near", .seed = seed}, {{64, seed < 6 ? json(2.5) : json("n/a")}});
                   }),
                   1);
}

// A tuned row whose only finished trial has one seed has no difference yet, and is compared when the other trial ends.
TEST(Comparison, AnOpenTrialWithoutADifferenceIsAMemberOfTheFamily) {
  ResultsBuilder results;
  const auto add = [&](const char* scheme, double rate, const std::vector<double>& values) {
    testing::add_bits(results, {.scheme = scheme, .more_axes = {{"optimizer.lr", rate}}}, values);
  };
  for (const double rate : {0.1, 0.2}) {
    add("base", rate, {2.5, 2.5, 2.8, 2.8, 2.8, 3.1});
    add("far", rate, {2.0, 2.1, 2.2, 2.3, 2.4, 2.5});
  }
  for (int seed = 1; seed <= 6; ++seed)
    results.failed({.scheme = "near", .seed = seed, .more_axes = {{"optimizer.lr", 0.1}}}, "non_finite");
  results.failed({.scheme = "near", .seed = 1, .more_axes = {{"optimizer.lr", 0.2}}}, "bug");
  auto asked = testing::request_of(results);
  asked.tune = study::Tune{{{"optimizer.lr", {}}}, {"lm.bits_per_byte@length=64", {}}, "validation", {}};
  const auto table = collect(asked);
  EXPECT_FALSE(table.rows[2].cells[0].comparison);
  const auto& far = *table.rows[1].cells[0].comparison;
  EXPECT_DOUBLE_EQ(far.p_holm, 2 * far.difference.p);
}

// The seeds of near that did not diverge are lower than all others, but they are lucky survivors.
TEST_F(Three, LuckySurvivorsAreNotTheBestRow) {
  for (int seed = 1; seed <= 6; ++seed) {
    if (seed < 4)
      results_.finished({.scheme = "lucky", .seed = seed}, {{64, 1.0 + 0.01 * seed}});
    else
      results_.failed({.scheme = "lucky", .seed = seed}, "non_finite");
  }
  const auto table = collect(testing::request_of(results_));
  EXPECT_TRUE(table.rows[2].cells[0].best);
  EXPECT_FALSE(table.rows[3].cells[0].best);
}

// A pending or failed run may turn out to be the best; a diverged one cannot.
TEST_F(Three, NoRowIsBestWhileAPendingRunMayBeBetter) {
  for (int seed = 1; seed <= 6; ++seed) results_.failed({.scheme = "gone", .seed = seed}, "non_finite");
  EXPECT_TRUE(collect(testing::request_of(results_)).rows[2].cells[0].best);
  results_.plan({.scheme = "later", .seed = 1});
  EXPECT_FALSE(collect(testing::request_of(results_)).rows[2].cells[0].best);
}

TEST_F(Three, AFailedRunLeavesNoBestRow) {
  results_.failed({.scheme = "near", .seed = 7}, "bug");
  EXPECT_FALSE(collect(testing::request_of(results_)).rows[2].cells[0].best);
}

// All differences are 0.5 up to rounding: the t test would give p = 0.
TEST(Comparison, EqualDifferencesAreDecidedBySigns) {
  ResultsBuilder results;
  testing::add_bits(results, {.scheme = "base"}, {2.5, 2.6, 2.7, 2.8, 2.9, 3.0});
  testing::add_bits(results, {.scheme = "far"}, {2.0, 2.1, 2.2, 2.3, 2.4, 2.5});
  EXPECT_EQ(collect(testing::request_of(results)).rows[1].cells[0].comparison->p_holm, 2.0 / 64);
  testing::add_bits(results, {.scheme = "near"}, {2.4, 2.6, 2.6, 2.9, 2.7, 3.1});
  const auto far = *collect(testing::request_of(results)).rows[1].cells[0].comparison;
  EXPECT_EQ(far.p_holm, 4.0 / 64);
  EXPECT_FALSE(far.separable);
}

// Six values of 2 against six of 3, with other seeds: two of the 12! / (6! 6!) = 924 assignments are as extreme.
// Welch's t would have a standard error and a p of 0.
TEST(Comparison, UnpairedRowsWithoutSpreadAreDecidedByExchanges) {
  ResultsBuilder results, other("late");
  testing::add_bits(results, {.scheme = "base"}, std::vector<double>(6, 3.0));
  testing::add_bits(other, {.scheme = "far"}, std::vector<double>(6, 2.0), 7);
  auto asked = testing::request_of(results);
  asked.others = {other.experiment()};
  const auto table = collect(asked);
  const auto& far = *table.rows[1].cells[0].comparison;
  EXPECT_FALSE(far.difference.paired);
  EXPECT_NEAR(far.p_holm, 2.0 / 924, 1e-12);
  EXPECT_TRUE(far.separable);
  EXPECT_EQ(comparison_grid(table)[1][6], "6, 6 unpaired (Welch)");
}

}  // namespace
}  // namespace assay::compare
