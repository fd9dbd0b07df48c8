// Baseline values against new ones, worked out by hand.
#include "compare/verdicts/gate.h"

#include <gmock/gmock.h>

#include "assay/error.h"
#include "compare/table/collect.h"
#include "unit/compare/results_builder.h"

namespace assay::compare {
namespace {

using testing::BuiltRun;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::ResultsBuilder;

CompareRequest gate_request(const ResultsBuilder& results) {
  return {.experiment = results.experiment(),
          .metrics = {"lm.bits_per_byte"},
          .baseline = std::nullopt,
          .current_code = "",
          .command = "assay gate quick"};
}

Table table_of(const std::vector<double>& values, int first_seed = 1, int diverged = 0) {
  ResultsBuilder results;
  for (size_t i = 0; i < values.size(); ++i)
    results.finished({.scheme = "a", .seed = first_seed + static_cast<int>(i)}, {{64, values[i]}});
  if (diverged > 0) results.failed({.scheme = "a", .seed = diverged}, "non_finite");
  return collect(gate_request(results));
}

GateCheck check(const std::vector<double>& kept, const Table& now, const std::string& tolerance) {
  const Tolerances tolerances{{"", read_tolerance(tolerance)}};
  const auto file = gate_baseline(table_of(kept), tolerances).dump();
  const auto baseline = read_gate_baseline(file, "gate.json");
  EXPECT_EQ(tolerances_of(baseline).at("").relative, tolerances.at("").relative);
  return gate(now, baseline, tolerances_of(baseline)).at(0);
}

const std::vector<double> kKept{2.00, 2.10, 2.20, 2.05};

TEST(Gate, EqualOrBetterEverywherePasses) {
  EXPECT_EQ(check(kKept, table_of(kKept), "0").verdict, GateVerdict::kFine);
  EXPECT_EQ(check(kKept, table_of({1.99, 2.10, 2.0, 2.05}), "0").reason, "no seed is worse");
  EXPECT_EQ(check({2.0}, table_of({2.0}), "0").verdict, GateVerdict::kFine);
}

// Worse by 0.005, 0.006, 0.004, 0.005: mean 0.005, standard error 0.0004, so far below 0.02 and far above 0.001.
TEST(Gate, ADifferenceAgainstTheTolerance) {
  const auto now = table_of({2.005, 2.106, 2.204, 2.055});
  EXPECT_EQ(check(kKept, now, "0.02").verdict, GateVerdict::kFine);
  EXPECT_EQ(check(kKept, now, "1%").verdict, GateVerdict::kFine);
  EXPECT_NEAR(check(kKept, now, "1%").tolerance, 0.020875, 1e-12);
  EXPECT_EQ(check(kKept, now, "0.001").verdict, GateVerdict::kRegression);
  EXPECT_EQ(check(kKept, now, "0.005").verdict, GateVerdict::kUndecided);
  EXPECT_NEAR(check(kKept, now, "0.005").difference->test.difference, 0.005, 1e-12);
}

TEST(Gate, TooFewSeedsAreUndecided) {
  EXPECT_EQ(check({2.0, 2.1}, table_of({2.5, 2.6}), "0.1").verdict, GateVerdict::kUndecided);
}

TEST(Gate, OtherSeedsAreComparedUnpaired) {
  const auto worse = check(kKept, table_of({3.00, 3.10, 3.20, 3.05}, 11), "0.1");
  EXPECT_FALSE(worse.difference->paired);
  EXPECT_EQ(worse.verdict, GateVerdict::kRegression);
}

TEST(Gate, ADivergedRunIsARegression) {
  const auto lost = check(kKept, table_of({2.00, 2.10, 2.20}, 1, 4), "0.1");
  EXPECT_EQ(lost.verdict, GateVerdict::kRegression);
  EXPECT_EQ(lost.reason, "1 of 4 runs diverged, 1 of them with a value in the baseline");
  // The baseline has seeds 1 to 3; of the current six seeds, the other three diverged.
  ResultsBuilder results;
  for (int seed = 1; seed <= 3; ++seed) results.finished({.scheme = "a", .seed = seed}, {{64, 2.0}});
  for (int seed = 4; seed <= 6; ++seed) results.failed({.scheme = "a", .seed = seed}, "non_finite");
  const auto now = collect(gate_request(results));
  const auto fresh = check({2.0, 2.0, 2.0}, now, "0.1");
  EXPECT_EQ(fresh.verdict, GateVerdict::kRegression);
  EXPECT_EQ(fresh.reason, "3 of 6 runs diverged, 0 of them with a value in the baseline");
  // If the baseline is updated, a run that diverges again is no worse.
  const auto baseline = gate_baseline(now, {});
  EXPECT_EQ(baseline["rows"][0]["metrics"]["lm.bits_per_byte@length=64"]["diverged"].dump(), "[4,5,6]");
  EXPECT_EQ(gate(now, baseline, {}).at(0).verdict, GateVerdict::kFine);
}

// The remaining runs may be lucky survivors.
TEST(Gate, AMissingRunKeepsTheGateOpen) {
  ResultsBuilder results;
  for (int seed = 1; seed <= 3; ++seed) results.finished({.scheme = "a", .seed = seed}, {{64, 1.0}});
  results.failed({.scheme = "a", .seed = 4}, "bug");
  EXPECT_EQ(check(kKept, collect(gate_request(results)), "0.1").verdict, GateVerdict::kUndecided);
  EXPECT_EQ(check(kKept, collect(gate_request(results)), "0.1").reason, "3 of 4 runs have a value: 1 failed");
  results.plan({.scheme = "a", .seed = 5});
  results.pruned({.scheme = "a", .seed = 6});
  EXPECT_EQ(check(kKept, collect(gate_request(results)), "0.1").reason,
            "3 of 6 runs have a value: 1 pending, 1 failed, 1 pruned");
}

// Three seeds are all worse by the same amount: the sign test reaches 1/8 at best, and the t test's standard error is
// 0.
TEST(Gate, EqualDifferencesAreTestedBySigns) {
  const std::vector<double> three{2.0, 2.1, 2.2}, five{2.0, 2.1, 2.2, 2.3, 2.4};
  const auto open = check(three, table_of({2.05, 2.15, 2.25}), "0.1");
  EXPECT_EQ(open.verdict, GateVerdict::kUndecided);
  EXPECT_EQ(open.reason, "the differences have no spread, and 3 seeds are too few for the sign-flip test");
  EXPECT_EQ(check(five, table_of({2.05, 2.15, 2.25, 2.35, 2.45}), "0.1").verdict, GateVerdict::kFine);
  EXPECT_EQ(check(five, table_of({2.05, 2.15, 2.25, 2.35, 2.45}), "0.01").verdict, GateVerdict::kRegression);
  // A rounding difference does not make a seed worse.
  EXPECT_EQ(check(three, table_of({2.0 + 1e-7, 2.1, 2.2 - 1e-7}), "0").reason, "no seed is worse");
  EXPECT_EQ(check(three, table_of({2.0 + 1e-5, 2.1, 2.2 - 1e-7}), "0").verdict, GateVerdict::kUndecided);
}

// Two rows without spread are each worse by 0.05 on five seeds: the sign test gives 1/32, which is a regression for one
// row, but twice that for two.
TEST(Gate, EqualDifferencesAreAdjustedForTheNumberOfChecks) {
  const auto table = [](double by, int rows) {
    ResultsBuilder results;
    for (int row = 0; row < rows; ++row)
      for (int seed = 1; seed <= 5; ++seed)
        results.finished({.scheme = row == 0 ? "a" : "b", .seed = seed}, {{64, 2.0 + 0.1 * seed + by}});
    return collect(gate_request(results));
  };
  const auto checks = [&](int rows) { return gate(table(0.05, rows), gate_baseline(table(0, rows), {}), {}); };
  ASSERT_EQ(checks(1).size(), 1u);
  EXPECT_EQ(checks(1)[0].verdict, GateVerdict::kRegression);
  ASSERT_EQ(checks(2).size(), 2u);
  for (const auto& one : checks(2)) EXPECT_EQ(one.verdict, GateVerdict::kUndecided);
}

// Baseline values are kept per seed, and a pooled row has one run of each seed per group.
TEST(Gate, APooledRowIsCountedPerSeed) {
  ResultsBuilder results;
  for (const double rate : {0.1, 0.2})
    for (int seed = 1; seed <= 4; ++seed) {
      const BuiltRun run{.scheme = "a", .seed = seed, .more_axes = {{"optimizer.lr", rate}}};
      if (seed == 4 && rate == 0.2)
        results.failed(run, "non_finite");
      else
        results.finished(run, {{64, 2.0}});
    }
  auto request = gate_request(results);
  request.pool_to = {"positional"};
  const auto now = collect(request);
  EXPECT_EQ(check(kKept, now, "0.1").reason, "1 of 4 runs diverged, 1 of them with a value in the baseline");
}

// A verdict that the signs of three seeds could not reach names its assumption.
TEST(Gate, AVerdictNamesItsAssumptionOfNormalDifferences) {
  const std::vector<double> three{2.0, 2.1, 2.2};
  EXPECT_EQ(check(three, table_of({2.005, 2.106, 2.204}), "0.1").reason,
            "below the tolerance, if differences are normally distributed");
  EXPECT_EQ(check(three, table_of({2.505, 2.606, 2.704}), "0.1").reason,
            "worse by more than the tolerance, if differences are normally distributed");
}

TEST(Gate, ListsWhatCannotBeInABaselineAndWhatIsNotGuarded) {
  ResultsBuilder results;
  for (int seed = 1; seed <= 3; ++seed) {
    results.finished({.scheme = "a", .seed = seed}, {{64, 2.0}, {512, "n/a"}});
    results.failed({.scheme = "b", .seed = seed}, seed == 1 ? "bug" : "non_finite");
  }
  results.finished({.scheme = "c", .seed = 1}, {{64, 2.0}, {512, 3.0}});
  results.plan({.scheme = "c", .seed = 2});
  const auto table = collect(gate_request(results));
  EXPECT_THAT(rows_without_values(table),
              ElementsAre("positional=b: not in the baseline: 0 of 3 runs have a value (1 failed, 2 diverged)",
                          "positional=c: partly in the baseline: 1 of 2 runs have a value (1 pending)"));
  auto baseline = gate_baseline(table, {});
  ASSERT_EQ(baseline["rows"].size(), 2u);  // a row without a value is not guarded
  EXPECT_THAT(rows_without_baseline(table, baseline),
              ElementsAre("positional=b: new, not in the baseline; runs 0/3 (1 failed, 2 diverged)"));
  baseline["rows"][1]["metrics"].erase("lm.bits_per_byte@length=512");
  EXPECT_THAT(rows_without_baseline(table, baseline),
              Contains("positional=c: lm.bits_per_byte@length=512: new, not in the baseline; runs 1/2 (1 pending)"));
}

TEST(Gate, MissingRowsAreUndecided) {
  auto now = table_of(kKept);
  now.rows[0].axes["positional"] = "other";
  EXPECT_EQ(check(kKept, now, "0").reason, "the row no longer exists");
}

TEST(Gate, InvalidFilesAndTolerances) {
  for (const char* text :
       {"", "[]", "{}", "{\"schema\":2,\"rows\":[]}", "{\"schema\":1,\"rows\":[{}]}",
        R"({"schema":1,"rows":[{"axes":{},"metrics":{"m":{"direction":"lower","values":{},"diverged":3}}}]})"})
    EXPECT_THROW(read_gate_baseline(text, "gate.json"), UserError) << text;
  for (const char* text : {"", "x", "-1", "1%%", "nan"}) EXPECT_THROW(read_tolerance(text), UserError) << text;
}

}  // namespace
}  // namespace assay::compare
