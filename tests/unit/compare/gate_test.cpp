// Kept values against new ones, by hand.
#include "compare/gate.h"

#include <gmock/gmock.h>

#include "assay/error.h"
#include "compare/collect.h"
#include "unit/compare/results_builder.h"

namespace assay {
namespace {

using testing::BuiltRun;
using ::testing::HasSubstr;
using testing::ResultsBuilder;

Table table_of(const std::vector<double>& values, int first_seed = 1, int diverged = 0) {
  ResultsBuilder results;
  for (size_t i = 0; i < values.size(); ++i)
    results.finished({.scheme = "a", .seed = first_seed + static_cast<int>(i)}, {{64, values[i]}});
  if (diverged > 0) results.failed({.scheme = "a", .seed = diverged}, "non_finite");
  return collect({.experiment = results.experiment(),
                  .metrics = {"lm.bits_per_byte"},
                  .baseline = std::nullopt,
                  .current_code = "",
                  .command = "assay gate quick"});
}

GateCheck check(const std::vector<double>& kept, const Table& now, const std::string& tolerance) {
  const Tolerances tolerances{{"", read_tolerance(tolerance)}};
  const auto file = gate_baseline(table_of(kept), tolerances).dump();
  const auto baseline = read_gate_baseline(file, "gate.json");
  EXPECT_EQ(tolerances_of(baseline).at("").relative, tolerances.at("").relative);
  return gate(now, baseline, tolerances_of(baseline)).at(0);
}

const std::vector<double> kKept{2.00, 2.10, 2.20, 2.05};

TEST(Gate, EqualOrBetterEverywhereIsFine) {
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

TEST(Gate, TooFewSeedsDecideNothing) {
  EXPECT_EQ(check({2.0, 2.1}, table_of({2.5, 2.6}), "0.1").verdict, GateVerdict::kUndecided);
}

TEST(Gate, OtherSeedsAreComparedUnpaired) {
  const auto worse = check(kKept, table_of({3.00, 3.10, 3.20, 3.05}, 11), "0.1");
  EXPECT_FALSE(worse.difference->paired);
  EXPECT_EQ(worse.verdict, GateVerdict::kRegression);
}

TEST(Gate, ADivergedRunIsARegressionWhereAValueWasKept) {
  EXPECT_EQ(check(kKept, table_of({2.00, 2.10, 2.20}, 1, 4), "0.1").verdict, GateVerdict::kRegression);
  EXPECT_EQ(check(kKept, table_of(kKept, 1, 99), "0.1").verdict, GateVerdict::kFine);
}

// Those that are there may be the lucky ones.
TEST(Gate, ARunWithoutItsValueKeepsItOpen) {
  ResultsBuilder results;
  for (int seed = 1; seed <= 3; ++seed) results.finished({.scheme = "a", .seed = seed}, {{64, 1.0}});
  results.failed({.scheme = "a", .seed = 4}, "bug");
  const auto now = collect({.experiment = results.experiment(),
                            .metrics = {"lm.bits_per_byte"},
                            .baseline = std::nullopt,
                            .current_code = "",
                            .command = "assay gate quick"});
  EXPECT_EQ(check(kKept, now, "0.1").verdict, GateVerdict::kUndecided);
  EXPECT_EQ(check(kKept, now, "0.1").reason, "1 of 4 runs have no value now");
}

TEST(Gate, WhatIsGoneIsUndecided) {
  auto now = table_of(kKept);
  now.rows[0].axes["positional"] = "other";
  EXPECT_EQ(check(kKept, now, "0").reason, "there is no such row now");
}

TEST(Gate, FilesAndTolerancesThatAreNone) {
  for (const char* text : {"", "[]", "{}", "{\"schema\":2,\"rows\":[]}", "{\"schema\":1,\"rows\":[{}]}"})
    EXPECT_THROW(read_gate_baseline(text, "gate.json"), UserError) << text;
  for (const char* text : {"", "x", "-1", "1%%", "nan"}) EXPECT_THROW(read_tolerance(text), UserError) << text;
}

}  // namespace
}  // namespace assay
