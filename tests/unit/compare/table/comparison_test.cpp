// Rows against the baseline, and tuned, pooled and pivoted tables, on small results whose values are worked out by
// hand.
#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "compare/formats/cell_text.h"
#include "compare/formats/format.h"
#include "compare/table/collect.h"
#include "compare/table/rearrange.h"
#include "unit/compare/table/three_rows.h"

namespace assay::compare {
namespace {

using nlohmann::json;
using testing::add_bits;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::request_of;
using testing::ResultsBuilder;
using testing::Three;

// scipy 1.17.1: stats.ttest_1samp([-.1, .1, -.2, .1, -.1, 0], 0).pvalue and the same for [-.5, -.4, -.6, -.5, -.4,
// -.6].
TEST_F(Three, AgainstTheBaselineIsPairedBySeed) {
  const auto table = collect(testing::request_of(results_));
  EXPECT_FALSE(table.rows[0].cells[0].comparison);
  const auto& near = *table.rows[1].cells[0].comparison;
  const auto& far = *table.rows[2].cells[0].comparison;
  EXPECT_EQ(table.rows[1].compared_with, "positional=base");
  EXPECT_TRUE(near.difference.paired);
  EXPECT_NEAR(near.difference.p, 0.5300916186704534, 1e-9);
  EXPECT_NEAR(far.difference.p, 3.7264794390153756e-05, 1e-9);
  EXPECT_DOUBLE_EQ(far.p_holm, 2 * far.difference.p);
  EXPECT_DOUBLE_EQ(near.p_holm, near.difference.p);
  EXPECT_TRUE(far.separable);
  EXPECT_FALSE(near.separable);
  EXPECT_NEAR(*far.difference.sign_flip_p, 2.0 / 64, 1e-12);
  EXPECT_NEAR(far.difference.test.difference, -0.5, 1e-12);
}

// Timings and counts are not tested.
TEST_F(Three, OnlyMetricsWithABetterDirectionAreTested) {
  const auto table = collect(testing::request_of(results_));
  for (size_t i = 1; i < table.columns.size(); ++i)
    EXPECT_FALSE(table.rows[2].cells[i].comparison) << table.columns[i].name;
}

// far is better than both others by more than twice the critical difference at 0.05; none of the three rows is certain
// to be the worst.
TEST_F(Three, TheBestIsBoldWhereItIsSeparable) {
  auto table = collect(testing::request_of(results_));
  EXPECT_TRUE(table.rows[2].cells[0].best);
  EXPECT_FALSE(table.rows[0].cells[0].best);
  const auto latex = format_latex(table);
  EXPECT_THAT(latex, HasSubstr("\\begin{tabular}{lrrrrrrrr}\n\\toprule\nrun & lm.bits\\_per\\_byte@length=64 & "));
  EXPECT_THAT(latex, HasSubstr("\npositional=far & \\textbf{2.25 $\\pm$ 0.20} & "));
  EXPECT_THAT(latex, HasSubstr("\npositional=near & 2.72 $\\pm$ 0.26 & "));
  EXPECT_THAT(latex, HasSubstr("\\bottomrule\n\\end{tabular}\n% bold: "));
  table.rows.erase(table.rows.begin() + 2);
  EXPECT_THAT(format_latex(table), Not(HasSubstr("\\textbf")));
}

TEST_F(Three, PrintedBelowTheTable) {
  const auto grid = comparison_grid(collect(testing::request_of(results_)));
  ASSERT_EQ(grid.size(), 3u);
  EXPECT_EQ(grid[2][0], "positional=far");
  EXPECT_EQ(grid[2][2], "-0.500 \u00b1 0.094");
  EXPECT_THAT(grid[2][4], HasSubstr(" *"));
  EXPECT_EQ(grid[2][5], "0.031 (0.031)");
  EXPECT_EQ(grid[2][6], "6");
  EXPECT_EQ(grid[2][9], "initial weights, data order");
}

TEST(Comparison, FiveSeedsAreTooFewForAStar) {
  ResultsBuilder results;
  testing::add_bits(results, {.scheme = "base"}, {9, 9, 9, 9, 9.01});
  testing::add_bits(results, {.scheme = "far"}, {1, 1, 1, 1, 1});
  const auto grid = comparison_grid(collect(testing::request_of(results)));
  EXPECT_EQ(grid.at(1).at(4), "n too small");
  EXPECT_EQ(collect(testing::request_of(results)).rows[1].cells[0].comparison->separable, false);
}

// The row of another experiment has other seeds. Welch's test of [2, 2.1, 2.2, 2.3, 2.4, 2.5] and [2.5, 2.5, 2.8, 2.8,
// 2.8, 3.1]: scipy 1.17.1, stats.ttest_ind(..., equal_var=False).
TEST(Comparison, OtherSeedsAreUnpaired) {
  ResultsBuilder results, other("late");
  testing::add_bits(results, {.scheme = "base"}, {2.5, 2.5, 2.8, 2.8, 2.8, 3.1});
  testing::add_bits(other, {.scheme = "far"}, {2.0, 2.1, 2.2, 2.3, 2.4, 2.5}, 7);
  auto asked = testing::request_of(results);
  asked.others = {other.experiment()};
  const auto table = collect(asked);
  EXPECT_EQ(table.experiment, "quick + late");
  EXPECT_EQ(table.rows[0].label, "experiment=quick positional=base");
  EXPECT_EQ(table.rows[1].axes.at("experiment"), "late");
  const auto& comparison = *table.rows[1].cells[0].comparison;
  EXPECT_FALSE(comparison.difference.paired);
  EXPECT_NEAR(comparison.difference.p, 0.002044400112661633, 1e-9);
  EXPECT_NEAR(comparison.difference.test.degrees_of_freedom, 9.665446941975954, 1e-9);
  EXPECT_EQ(comparison_grid(table)[1][6], "6, 6 unpaired (Welch)");
  EXPECT_TRUE(comparison.is_decided());
  EXPECT_EQ(table.rows[1].shared, "nothing: other seeds");
  other.failed({.scheme = "far", .seed = 13}, "bug");
  EXPECT_EQ(comparison_grid(collect(asked))[1][4], "incomplete");
  EXPECT_EQ(comparison_grid(collect(asked))[1][6], "6, 6 unpaired (Welch): 1 failed");
}

// Rows that differ only in their experiment are tuned separately.
TEST(Comparison, EachExperimentHasItsOwnBestTrial) {
  ResultsBuilder results, other("late");
  for (auto* one : {&results, &other})
    for (const double rate : {0.1, 0.2})
      testing::add_bits(*one, {.scheme = "base", .more_axes = {{"optimizer.lr", rate}}}, {2.5 + rate, 2.6 + rate});
  auto asked = testing::request_of(results);
  asked.baseline = std::nullopt;
  asked.others = {other.experiment()};
  asked.tune = study::compare_settings_of(
                   {{"compare", {{"tune", {{"over", {"optimizer.lr"}}, {"by", "lm.bits_per_byte@length=64"}}}}}}, "t")
                   .tune;
  const auto table = collect(asked);
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[0].axes.at("experiment"), "quick");
  EXPECT_EQ(table.rows[1].axes.at("experiment"), "late");
  EXPECT_EQ(table.rows[1].tuned->trials, 2u);
}

// Two documents: base scores 10 and 30 nats on weights 2 and 4, far 8 and 18: the differences are -2/2 and -12/4 per
// unit of weight. The resampled mean is -14/6 for both documents, -1 for the first one twice, -3 for the second one
// twice.
TEST(Comparison, DocumentsAreResampled) {
  ResultsBuilder results;
  results.two_documents("base", 10, 30);
  results.two_documents("far", 8, 18);
  const auto found = *collect(testing::request_of(results)).rows[1].cells[0].comparison;
  ASSERT_TRUE(found.documents);
  // The mean of both seeds is 1.5 times the first, in half nats.
  EXPECT_NEAR(found.documents->low, -3 * 2 * 1.5, 1e-12);
  EXPECT_NEAR(found.documents->high, -1 * 2 * 1.5, 1e-12);
}

// Rates 0.1, 0.2, 0.3. a is best at 0.2, b at 0.3, the edge of the grid.
class Rates : public ::testing::Test {
 protected:
  Rates() {
    const auto add = [&](const char* scheme, double rate, double level) {
      testing::add_bits(results_, {.scheme = scheme, .more_axes = {{"optimizer.lr", rate}}},
                        {level, level + 0.1, level + 0.2});
    };
    add("base", 0.1, 3.0);
    add("base", 0.2, 2.0);
    add("base", 0.3, 2.5);
    add("b", 0.1, 2.9);
    add("b", 0.2, 2.8);
    add("b", 0.3, 2.7);
  }
  CompareRequest tuned() const {
    auto asked = testing::request_of(results_);
    asked.tune = study::Tune{{{"optimizer.lr", {}}}, {"lm.bits_per_byte@length=64", {}}, "validation", {}};
    return asked;
  }
  ResultsBuilder results_;
};

TEST_F(Rates, TheBestOfEqualTrialsRepresentsItsRow) {
  const auto table = collect(tuned());
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[0].label, "positional=base");
  EXPECT_EQ(table.rows[0].tuned->choice, "optimizer.lr=0.2");
  EXPECT_EQ(table.rows[0].tuned->trials, 3u);
  EXPECT_THAT(table.rows[0].tuned->edges, ElementsAre());
  EXPECT_NEAR(table.rows[0].cells[0].summary.mean, 2.1, 1e-12);
  EXPECT_EQ(table.rows[1].tuned->choice, "optimizer.lr=0.3");
  EXPECT_THAT(table.rows[1].tuned->edges, ElementsAre("optimizer.lr"));
  EXPECT_NEAR(table.rows[1].cells[0].comparison->difference.test.difference, 0.7, 1e-12);
  EXPECT_EQ(tuned_grid(table)[2],
            (std::vector<std::string>{"positional=b", "optimizer.lr=0.3", "3", "edge: optimizer.lr"}));
}

TEST_F(Rates, ATrialWithoutAllOfItsValuesIsNotChosen) {
  results_.failed({.scheme = "base", .seed = 4, .more_axes = {{"optimizer.lr", 0.2}}}, "non_finite");
  const auto table = collect(tuned());
  EXPECT_EQ(table.rows[0].tuned->choice, "optimizer.lr=0.3");
  EXPECT_EQ(tuned_grid(table)[1][2], "2 of 3 with results");
}

// The failed trial may be the best one, so the tuned row is not compared on the basis of the others.
TEST_F(Rates, AnUnfinishedTrialKeepsARowFromBeingCompared) {
  for (int seed = 4; seed <= 6; ++seed)
    for (const double rate : {0.1, 0.2, 0.3})
      for (const char* scheme : {"base", "b"})
        results_.finished({.scheme = scheme, .seed = seed, .more_axes = {{"optimizer.lr", rate}}},
                          {{64, (*scheme == 'b' && scheme[1] == 0 ? 9 : 1) + 0.1 * seed}});
  EXPECT_TRUE(collect(tuned()).rows[1].cells[0].comparison->is_decided());
  for (const double rate : {0.1, 0.2, 0.3})
    results_.finished({.scheme = "base", .seed = 7, .more_axes = {{"optimizer.lr", rate}}}, {{64, 2.0}});
  for (const double rate : {0.2, 0.3})
    results_.finished({.scheme = "b", .seed = 7, .more_axes = {{"optimizer.lr", rate}}}, {{64, 9.0}});
  results_.failed({.scheme = "b", .seed = 7, .more_axes = {{"optimizer.lr", 0.1}}}, "bug");
  const auto table = collect(tuned());
  EXPECT_EQ(table.rows[1].tuned->open, 1u);
  EXPECT_FALSE(table.rows[1].cells[0].comparison->is_decided());
  EXPECT_EQ(comparison_grid(table)[1][6], "7, 1 trial incomplete");
}

// A pooled row has a seed only if every one of its groups has it.
TEST_F(Rates, APooledRowLacksASeedThatOneOfItsGroupsLacks) {
  auto asked = testing::request_of(results_);
  asked.pool_to = {"positional"};
  results_.failed({.scheme = "b", .seed = 4, .more_axes = {{"optimizer.lr", 0.1}}}, "bug");
  for (const double rate : {0.2, 0.3})
    results_.finished({.scheme = "b", .seed = 4, .more_axes = {{"optimizer.lr", rate}}}, {{64, 2.0}});
  for (const double rate : {0.1, 0.2, 0.3})
    results_.finished({.scheme = "base", .seed = 4, .more_axes = {{"optimizer.lr", rate}}}, {{64, 2.0}});
  EXPECT_EQ(collect(asked).rows[1].cells[0].comparison->pairs, (Count{.planned = 4, .present = 3, .failed = 1}));
}

// Of two pooled groups, one has seeds 1 to 6 and the other 1 to 8, of which 8 failed.
TEST(Comparison, APooledRowNamesTheSeedsItOmits) {
  ResultsBuilder results;
  for (const char* scheme : {"base", "b"})
    for (const double rate : {0.1, 0.2})
      testing::add_bits(results, {.scheme = scheme, .more_axes = {{"optimizer.lr", rate}}},
                        {2.5 + rate, 2.6, 2.7 - rate, 2.4, 2.3, 2.8});
  const testing::BuiltRun more{.scheme = "b", .seed = 7, .more_axes = {{"optimizer.lr", 0.2}}};
  results.finished(more, {{64, 2.0}});
  results.failed({.scheme = "b", .seed = 8, .more_axes = {{"optimizer.lr", 0.2}}}, "bug");
  auto asked = testing::request_of(results);
  asked.pool_to = {"positional"};
  const auto table = collect(asked);
  EXPECT_THAT(
      table.notes,
      Contains("positional=b: the row leaves out seeds 7, 8, with which not all of its 2 pooled rows are planned"));
  EXPECT_THAT(table.notes, Not(Contains(HasSubstr("positional=base: left out"))));
  EXPECT_EQ(table.rows[1].cells[0].comparison->pairs, (Count{.planned = 6, .present = 6}));
}

TEST_F(Rates, ReportedSeedsAreShownAndNotUsedForSelection) {
  auto asked = tuned();
  asked.report = study::Report{std::nullopt, {3}, {}};
  const auto table = collect(asked);
  EXPECT_EQ(table.rows[0].cells[0].summary.n, 1u);
  EXPECT_NEAR(table.rows[0].cells[0].summary.mean, 2.2, 1e-12);
  EXPECT_EQ(table.rows[0].count.planned, 1);
}

TEST_F(Rates, PooledRowsAreMeansPerSeed) {
  auto asked = testing::request_of(results_);
  asked.pool_to = {"positional"};
  const auto table = collect(asked);
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[0].label, "positional=base");
  EXPECT_THAT(table.rows[0].cells[0].values,
              ElementsAre(::testing::Pair(1, ::testing::DoubleEq(2.5)), ::testing::Pair(2, ::testing::DoubleEq(2.6)),
                          ::testing::Pair(3, ::testing::DoubleEq(2.7))));
  EXPECT_NEAR(table.rows[1].cells[0].comparison->difference.test.difference, 0.3, 1e-12);
  asked.pool_to = {"optimizer.rate"};
  EXPECT_THROW(collect(asked), UserError);
}

TEST_F(Rates, PartnersHaveTheSameRate) {
  const auto table = collect(testing::request_of(results_));
  EXPECT_EQ(table.rows[4].compared_with, "positional=base optimizer.lr=0.2");
  EXPECT_NEAR(table.rows[4].cells[0].comparison->difference.test.difference, 0.8, 1e-12);
}

TEST_F(Rates, AnAxisAcross) {
  auto table = collect(testing::request_of(results_));
  pivot(table, "optimizer.lr");
  ASSERT_EQ(table.rows.size(), 2u);
  ASSERT_EQ(table.columns.size(), 3u);
  EXPECT_EQ(table.columns[1].title, "lm.bits_per_byte@length=64 optimizer.lr=0.2");
  EXPECT_EQ(table.rows[1].label, "positional=b");
  EXPECT_NEAR(table.rows[1].cells[2].summary.mean, 2.8, 1e-12);
  EXPECT_THROW(pivot(table, "optimizer.lr"), UserError);
}

TEST_F(Rates, ARowWithoutTheAxisHasAColumnOfItsOwn) {
  results_.finished({.scheme = "c", .seed = 1}, {{64, 7.0}});
  auto table = collect(testing::request_of(results_));
  pivot(table, "optimizer.lr");
  ASSERT_EQ(table.columns.size(), 4u);
  EXPECT_EQ(table.columns[3].title, "lm.bits_per_byte@length=64 optimizer.lr=-");
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_EQ(table.rows[2].cells[3].summary.mean, 7.0);
}

TEST_F(Rates, Sorted) {
  auto table = collect(testing::request_of(results_));
  sort_rows(table, "-lm.bits_per_byte@length=64");
  EXPECT_EQ(table.rows[0].label, "positional=base optimizer.lr=0.1");
  sort_rows(table, "bits_per_byte");
  EXPECT_EQ(table.rows[0].label, "positional=base optimizer.lr=0.2");
  sort_rows(table, "label");
  EXPECT_EQ(table.rows[0].label, "positional=b optimizer.lr=0.1");
  EXPECT_THROW(sort_rows(table, "train"), UserError);
}

TEST(Comparison, AxesThatAreEqualInAllRowsAreOmitted) {
  ResultsBuilder results;
  testing::add_bits(results, {.scheme = "base", .more_axes = {{"optimizer.lr", 0.1}}}, {1});
  testing::add_bits(results, {.scheme = "far", .more_axes = {{"optimizer.lr", 0.1}}}, {2});
  auto asked = testing::request_of(results);
  EXPECT_EQ(collect(asked).rows[1].label, "positional=far");
  EXPECT_THAT(collect(asked).axes, ElementsAre("positional"));
  asked.all_columns = true;
  EXPECT_EQ(collect(asked).rows[1].label, "positional=far optimizer.lr=0.1");
  EXPECT_THAT(collect(asked).axes, ElementsAre("optimizer.lr", "positional"));
}

TEST_F(Three, OtherSpreads) {
  auto asked = testing::request_of(results_);
  asked.spread = Spread::kStd;
  const auto table = collect(asked);
  EXPECT_THAT(format_text(table), HasSubstr("mean \u00b1 standard deviation over seeds"));
  EXPECT_THAT(format_csv(table), HasSubstr("lm.bits_per_byte@length=64 std,"));
  // The values of far are 2.0 .. 2.5 in steps of 0.1: variance 0.175 / 5.
  EXPECT_DOUBLE_EQ(*spread_of(table.rows[2].cells[0].summary, Spread::kStd), std::sqrt(0.035));
  EXPECT_DOUBLE_EQ(*spread_of(table.rows[2].cells[0].summary, Spread::kSem), std::sqrt(0.035 / 6));
}

TEST(Comparison, UnequalCostsAreNoted) {
  ResultsBuilder results;
  results.finished({.scheme = "base", .parameters = 1000}, {{64, 1}});
  results.finished({.scheme = "far", .steps = 2000, .parameters = 1100}, {{64, 1}});
  auto asked = testing::request_of(results);
  asked.equal = {{"train.parameters", 0.02, {}}};
  EXPECT_THAT(
      collect(asked).notes,
      Contains(HasSubstr(
          "the rows are not equal in train.parameters: positional=base has 1000 and positional=far 1100, 10.0% more; "
          "2% is allowed")));
  asked.equal[0].tolerance = 0.1;
  EXPECT_THAT(collect(asked).notes, Not(Contains(HasSubstr("not equal"))));
  asked.equal = {{"train.steps", 0.1, {}}};
  EXPECT_THAT(collect(asked).notes,
              Contains(HasSubstr("the rows are not equal in train.steps: positional=base has 1000")));
}

TEST_F(Three, CsvAndJsonContainTheComparison) {
  const auto table = collect(testing::request_of(results_));
  EXPECT_THAT(format_csv(table), HasSubstr("lm.bits_per_byte@length=64 n,lm.bits_per_byte@length=64 difference,"));
  const auto comparison = json::parse(format_json(table))["rows"][2]["cells"][0]["comparison"];
  EXPECT_EQ(comparison["n"], 6);
  EXPECT_NEAR(comparison["difference"].get<double>(), -0.5, 1e-12);
  EXPECT_EQ(comparison["separable"], true);
}

}  // namespace
}  // namespace assay::compare
