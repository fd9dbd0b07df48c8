// When a claim is tested, which values its p uses, and how its lines explain both.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "unit/compare/verdicts/judged.h"

namespace assay::compare {
namespace {

using nlohmann::json;
using testing::add_row;
using testing::claim;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::judged;
using testing::line_of;
using testing::ResultsBuilder;
using testing::Six;

// B is lower by 0.01 or 0.02 on six of seven seeds. With 10 on the seventh, B - A is 1.273 +- 3.2, p 0.36; when a run
// has no value there, the claim must not be decided by the other six.
class SevenOfWhichOneIsLost : public ::testing::Test {
 protected:
  static constexpr double kLow[] = {0.99, 1.08, 1.19, 1.28, 1.39, 1.48};
  Judgement judged_with(const json& seventh, const json& one = testing::claim("right < left")) {
    ResultsBuilder results;
    testing::add_row(results, {.scheme = "a"}, {1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.0});
    std::vector<json> low(std::begin(kLow), std::end(kLow));
    low.push_back(seventh);
    testing::add_row(results, {.scheme = "b"}, low);
    return testing::judged(results, {one});
  }
};

TEST_F(SevenOfWhichOneIsLost, IsUndecided) {
  EXPECT_EQ(judged_with(0.98).claims[0].verdict, Verdict::kSupported);
  const auto worst = judged_with(10.0);
  EXPECT_EQ(worst.claims[0].verdict, Verdict::kUndecided);
  EXPECT_THAT(testing::line_of(worst), HasSubstr("left - right = -1.273 \u00b1 3.2, p 0.36"));
  const std::pair<json, const char*> cases[] = {
      {true, "; 6 of 7 pairs: 1 failed"},
      {nullptr, "; 6 of 7 pairs: 1 diverged"},
      {false, "; 6 of 7 pairs: 1 pending"},
      {"n/a", "; 6 of 7 pairs: 1 n/a"},
  };
  for (const auto& [seventh, counted] : cases) {
    const auto found = judged_with(seventh);
    EXPECT_EQ(found.claims[0].verdict, Verdict::kUndecided) << counted;
    EXPECT_EQ(found.claims[0].p_support, 1) << counted;
    EXPECT_THAT(testing::line_of(found), ::testing::EndsWith(counted));
    EXPECT_FALSE(found.claims[0].needed) << counted;  // more seeds would not help
  }
  EXPECT_THAT(
      judged_with(true).claims[0].remarks,
      Contains("1 run failed, and the claim cannot be decided before it has a value; assay run retries failed runs."));
  EXPECT_THAT(judged_with(nullptr).claims[0].remarks,
              Contains("1 run diverged, so the claim cannot be decided; "
                       "diverged = \"worst\" would count it as worse than any other run."));
  EXPECT_THAT(judged_with(false).claims[0].remarks,
              Contains(HasSubstr("1 run is pending, and the claim cannot be decided")));
}

// The differences left - right are 0.01 .. 0.02, and minus infinity for the seventh: ranks 1 to 6 against 7, p above
// 0.05. A failed run may have a value after the next attempt, and a pending one will have one: neither counts as worst.
TEST_F(SevenOfWhichOneIsLost, OnlyADivergedRunIsWorst) {
  auto one = testing::claim("right < left");
  one["diverged"] = "worst";
  const auto diverged = judged_with(nullptr, one).claims[0];
  EXPECT_EQ(diverged.verdict, Verdict::kUndecided);
  EXPECT_TRUE(diverged.pairs[0].by_rank);
  EXPECT_EQ(diverged.pairs[0].n, 7u);
  EXPECT_GT(diverged.p_support, 0.05);
  for (const auto& seventh : {json(true), json(false)}) {
    const auto open = judged_with(seventh, one).claims[0];
    EXPECT_FALSE(open.is_tested);
    EXPECT_FALSE(open.pairs[0].by_rank);
    EXPECT_EQ(open.pairs[0].n, 6u);
  }
}

// a is better in all seven pairs when b diverged once; the claim stays open when that run of b failed, whatever the
// result of a.
TEST_F(SevenOfWhichOneIsLost, AFailedPartnerOfADivergedRunKeepsTheClaimOpen) {
  auto one = testing::claim("left < right");
  one["diverged"] = "worst";
  const auto with_last = [&](const json& a, const json& b) {
    ResultsBuilder results;
    testing::add_row(results, {.scheme = "a"}, {2.0, 2.1, 2.2, 2.3, 2.4, 2.5, a});
    testing::add_row(results, {.scheme = "b"}, {2.5, 2.6, 2.7, 2.8, 2.9, 3.0, b});
    return testing::judged(results, {one}).claims[0];
  };
  EXPECT_EQ(with_last(2.4, nullptr).verdict, Verdict::kSupported);
  EXPECT_EQ(with_last(2.4, true).verdict, Verdict::kUndecided);
  EXPECT_EQ(with_last(true, nullptr).verdict, Verdict::kUndecided);
  EXPECT_EQ(with_last(true, nullptr).pairs[0].pairs.failed, 1);
}

// Neither another attempt nor another seed gives a value to a run that diverged.
TEST_F(SevenOfWhichOneIsLost, AClaimIsStuckWhenNoAttemptCanAddItsMissingValue) {
  for (const auto& [seventh, stuck] :
       {std::pair<json, bool>{nullptr, true}, {"n/a", true}, {true, false}, {false, false}, {10.0, false}}) {
    EXPECT_EQ(judged_with(seventh).claims[0].verdict, Verdict::kUndecided);
    EXPECT_EQ(judged_with(seventh).claims[0].is_stuck, stuck) << seventh;
  }
  auto worst = testing::claim("right < left"), equal = testing::claim("left = right within 5");
  worst["diverged"] = equal["diverged"] = "worst";
  EXPECT_FALSE(judged_with(nullptr, worst).claims[0].is_stuck);
  EXPECT_TRUE(judged_with(nullptr, equal).claims[0].is_stuck);  // a diverged run is within no margin
}

// Twelve seeds are planned; five pairs are pending and one failed. The other six decide nothing yet.
TEST(Claims, NothingIsDecidedWhileRunsArePending) {
  ResultsBuilder results;
  std::vector<json> a{2.0, 2.1, 2.2, 2.3, 2.4, 2.5, true}, b{2.5, 2.5, 2.8, 2.8, 2.8, 3.1, 3.0};
  a.resize(12, false);
  b.resize(12, false);
  testing::add_row(results, {.scheme = "a"}, a);
  testing::add_row(results, {.scheme = "b"}, b);
  const auto judgement = testing::judged(results, {testing::claim("left < right - 0.3")});
  EXPECT_EQ(judgement.claims[0].verdict, Verdict::kUndecided);
  EXPECT_THAT(testing::line_of(judgement), ::testing::EndsWith("; 6 of 12 pairs: 5 pending, 1 failed"));
  EXPECT_THAT(judgement.claims[0].remarks, Contains(HasSubstr("10 runs are pending")));
  EXPECT_THAT(judgement.claims[0].remarks, Contains(HasSubstr("1 run failed")));
  const auto pair = json::parse(format_claims_json(judgement))["claims"][0]["pairs"][0];
  EXPECT_EQ(pair["planned"], 12);
  EXPECT_EQ(pair["n"], 6);
  EXPECT_EQ(pair["to_come"], 5);
  EXPECT_EQ(pair["failed"], 1);
  EXPECT_EQ(pair["tested"], false);
}

// All seeds of the interim analysis are finished; an earlier decision is kept while more seeds are pending.
TEST(Claims, AnInterimAnalysisUsesCompletePairs) {
  ResultsBuilder results;
  testing::add_row(results, {.scheme = "a"}, {2.0, 2.1, 2.2, 2.3, 2.4, 2.5});
  testing::add_row(results, {.scheme = "b"}, {2.5, 2.5, 2.8, 2.8, 2.8, 3.1});
  const auto one = testing::claim("left < right - 0.3");
  EXPECT_EQ(testing::judged(results, {one}, json::object(), {12, {}}).claims[0].verdict, Verdict::kSupported);
  results.plan({.scheme = "a", .seed = 7});
  results.finished({.scheme = "b", .seed = 7}, {{64, 3.0}});
  EXPECT_EQ(testing::judged(results, {one}, json::object(), {12, {}}).claims[0].verdict, Verdict::kUndecided);
  const auto hash = study::compare_settings_of({{"claim", {one}}}, "t").claims[0].hash;
  const auto now = testing::judged(results, {one}, json::object(), {12, {{6, 0.0056, {{hash, "supported"}}}}}, false);
  EXPECT_EQ(now.claims[0].verdict, Verdict::kSupported);
  EXPECT_THAT(claim_lines(now.claims[0], now.level), Contains(HasSubstr("not tested")));
}

TEST(Claims, APrunedRowIsNotJudgedByItsPartialResults) {
  ResultsBuilder results;
  testing::add_row(results, {.scheme = "a"}, {2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6});
  testing::add_row(results, {.scheme = "b"}, {2.5, 2.5, 2.8, 2.8, 2.8, 3.1});
  results.pruned({.scheme = "b", .seed = 7});
  const auto found = testing::judged(results, {testing::claim("left < right - 0.3")});
  EXPECT_EQ(found.claims[0].verdict, Verdict::kUndecided);
  EXPECT_THAT(testing::line_of(found), ::testing::EndsWith("; 6 of 7 pairs: 1 pruned"));
  EXPECT_THAT(found.claims[0].remarks, Contains("1 run was pruned, so there is no value to compare."));
}

// Seeds that are planned for one row only make no pairs and are not pending. The seeds of both sides are named.
TEST(Claims, RowsOfOtherSeedsArePairedOnCommonSeeds) {
  ResultsBuilder results;
  testing::add_row(results, {.scheme = "a"}, {2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 9.0, false});
  testing::add_row(results, {.scheme = "b"}, {2.5, 2.5, 2.8, 2.8, 2.8, 3.1});
  results.finished({.scheme = "b", .seed = 11}, {{64, 3.0}});
  const auto found = testing::judged(results, {testing::claim("left < right - 0.3")}).claims[0];
  EXPECT_EQ(found.verdict, Verdict::kSupported);
  EXPECT_EQ(found.pairs[0].pairs.planned, 6);
  EXPECT_THAT(found.remarks, ::testing::ElementsAre(
                                 "Seeds 7, 8 of positional=a are not planned for positional=b and cannot be paired.",
                                 "Seed 11 of positional=b is not planned for positional=a and cannot be paired."));
}

// b has seeds 1 to 6, c 1 to 5: the mean is over the five that both have, which are too few.
class OtherSeedsInOneRow : public ::testing::Test {
 protected:
  OtherSeedsInOneRow() {
    testing::add_row(results_, {.scheme = "a"}, {2.0, 2.1, 2.2, 2.3, 2.4, 2.5});
    testing::add_row(results_, {.scheme = "b"}, {2.5, 2.5, 2.8, 2.8, 2.8, 3.1});
    testing::add_row(results_, {.scheme = "c"}, {2.5, 2.5, 2.8, 2.8, 2.8});
  }
  json made(const char* over) const {
    auto one = testing::claim("left > right", {{"positional", {"b", "c"}}}, {{"positional", "a"}});
    one["over"] = over;
    return one;
  }
  ResultsBuilder results_;
};

TEST_F(OtherSeedsInOneRow, TheSmallestPairIsTheReasonThatAClaimIsNotTested) {
  const auto found = testing::judged(results_, {made("each")}).claims[0];
  EXPECT_FALSE(found.is_tested);
  EXPECT_THAT(found.remarks, Contains("n is too small: 5 of the at least 6 seeds that a verdict needs."));
  EXPECT_FALSE(found.needed);
  EXPECT_THAT(found.remarks, ::testing::Not(Contains(HasSubstr("seeds are needed"))));
}

TEST_F(OtherSeedsInOneRow, AMeanNamesTheSeedsItOmits) {
  EXPECT_THAT(testing::judged(results_, {made("mean")}).claims[0].remarks,
              Contains("The mean leaves out seed 6, which not every pair of rows has."));
}

// A row against a constant counts its runs, and a run that two pairs share counts once.
TEST(Claims, RunsAreCountedOnce) {
  ResultsBuilder results;
  testing::add_row(results, {.scheme = "a"}, {2.0, 2.1, 2.2, 2.3, 2.4, 2.5, true});
  for (const char* scheme : {"b", "c"})
    testing::add_row(results, {.scheme = scheme}, {2.5, 2.5, 2.8, 2.8, 2.8, 3.1, 3.0});
  const auto both =
      testing::judged(results, {testing::claim("left > right", {{"positional", {"b", "c"}}}, {{"positional", "a"}})});
  ASSERT_EQ(both.claims[0].pairs.size(), 2u);
  EXPECT_THAT(both.claims[0].remarks, Contains(HasSubstr("1 run failed, and")));
  EXPECT_THAT(testing::line_of(testing::judged(results, {testing::claim("left < 3", {{"positional", "a"}}, nullptr)})),
              ::testing::EndsWith("; 6 of 7 runs: 1 failed"));
}

// Equal differences have a standard error of zero: the t test would give p = 0 for any number of seeds. The sign test
// reaches 2 / 2^6, 1 / 2^6 one-sided; Holm doubles it in a file of two claims.
class EqualDifferences : public ::testing::Test {
 protected:
  EqualDifferences() {
    testing::add_row(results_, {.scheme = "a"}, {1.0, 1.1, 1.2, 1.3, 1.4, 1.5});
    testing::add_row(results_, {.scheme = "b"}, {1.1, 1.2, 1.3, 1.4, 1.5, 1.6});
  }
  ResultsBuilder results_;
};

TEST_F(EqualDifferences, AreTestedBySigns) {
  const auto one = testing::judged(results_, {testing::claim("left < right")});
  EXPECT_EQ(one.claims[0].verdict, Verdict::kSupported);
  EXPECT_EQ(one.claims[0].p_support, 2.0 / 64);
  EXPECT_THAT(testing::line_of(one), HasSubstr("p 0.031, sign-flip p 0.031 (floor 0.031), n 6"));
  EXPECT_THAT(testing::line_of(one),
              HasSubstr("; decided by the exact sign-flip test, because the differences have no spread"));
  EXPECT_EQ(testing::line_of(one, 1), "p 0.031 after Holm's correction over the claims, at level 0.05");
  EXPECT_EQ(testing::judged(results_, {testing::claim("left > right")}).claims[0].p_refute, 2.0 / 64);
  EXPECT_EQ(testing::judged(results_, {testing::claim("left = right within 0.2")}).claims[0].p_support, 1.0 / 64);
  EXPECT_EQ(testing::judged(results_, {testing::claim("left = right within 0.05")}).claims[0].p_refute, 2.0 / 64);
  const auto on_the_bound = testing::judged(results_, {testing::claim("left < right - 0.1")}).claims[0];
  EXPECT_EQ(on_the_bound.verdict, Verdict::kUndecided);
  EXPECT_THAT(on_the_bound.remarks, Contains(HasSubstr("10000 seeds would not decide the claim at level 0.05")));
}

TEST_F(EqualDifferences, AreAdjustedForTheNumberOfClaims) {
  const auto two = testing::judged(results_, {testing::claim("left < right"), testing::claim("left < right + 1")});
  EXPECT_EQ(two.claims[0].p_support, 4.0 / 64);
  EXPECT_EQ(two.count(Verdict::kUndecided), 2u);
  EXPECT_THAT(two.claims[0].remarks,
              Contains("7 seeds are needed to support the claim at the present spread (power 0.8 at level 0.025)."));
}

// A p below the floor of the sign test relies on normal differences, and the verdict says so.
TEST_F(Six, AVerdictNamesItsAssumptionOfNormalDifferences) {
  const auto decision = [&](const std::string& inequality) {
    const auto judgement = testing::judged(results_, {testing::claim(inequality)});
    return claim_lines(judgement.claims[0], judgement.level).at(1);
  };
  EXPECT_EQ(decision("left < right - 0.3"),
            "p 0.0028 after Holm's correction over the claims, at level 0.05; "
            "the t test's p is below the exact test's floor, because it assumes normally distributed differences");
  EXPECT_THAT(decision("left > right - 0.3"),
              ::testing::StartsWith("p 0.0028 against it after Holm's correction over the claims"));
}

// The p of both directions is printed while a claim is open: left - right + 0.45 is -0.05, standard error 0.0365, p
// 0.23; the data favour "less" over "more".
TEST_F(Six, AnOpenClaimReportsTheDirectionOfTheData) {
  const auto decision = [&](const std::string& inequality) {
    const auto judgement = testing::judged(results_, {testing::claim(inequality)});
    EXPECT_EQ(judgement.claims[0].verdict, Verdict::kUndecided);
    return claim_lines(judgement.claims[0], judgement.level).at(1);
  };
  EXPECT_EQ(decision("left < right - 0.45"),
            "p 0.23 for it and 1 against it after Holm's correction over the claims, at level 0.05");
  EXPECT_EQ(decision("left > right - 0.45"),
            "p 1 for it and 0.23 against it after Holm's correction over the claims, at level 0.05");
}

}  // namespace
}  // namespace assay::compare
