// Verdicts on small results whose values are worked out by hand.
#include "compare/verdicts/claims.h"

#include <gmock/gmock.h>

#include <cmath>

#include "compare/table/settings.h"
#include "unit/compare/verdicts/judged.h"

namespace assay::compare {
namespace {

using nlohmann::json;
using testing::add_row;
using testing::claim;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::judged;
using testing::ResultsBuilder;
using testing::Six;

TEST_F(Six, TheTestOfOneClaim) {
  const auto found = testing::judged(results_, {testing::claim("left < right - 0.3")}).claims.at(0);
  EXPECT_EQ(found.verdict, Verdict::kSupported);
  EXPECT_EQ(found.quantity, "left - right + 0.3");
  ASSERT_EQ(found.pairs.size(), 1u);
  const auto& pair = found.pairs[0];
  EXPECT_EQ(pair.n, 6u);
  EXPECT_NEAR(pair.test->difference, -0.2, 1e-12);
  EXPECT_NEAR(pair.test->standard_error, std::sqrt(0.04 / 30), 1e-12);
  // t = -0.2 / 0.0365148 = -5.4772 at 5 degrees of freedom: scipy 1.17.1, 2 * stats.t.sf(5.477225575051661, 5)
  EXPECT_NEAR(found.p_support, 0.0027649603013049557, 1e-9);
  EXPECT_EQ(found.p_refute, 1);
  EXPECT_NEAR(*pair.sign_flip_p, 2.0 / 64, 1e-12);
}

TEST(Claims, ReportHowManyPairsHaveSkippedSteps) {
  ResultsBuilder results;
  testing::add_row(results, {.scheme = "a"}, {2.0, 2.1, 2.2, 2.3, 2.4});
  results.finished({.scheme = "a", .seed = 6, .skipped_steps = 5}, {{64, 2.5}});
  testing::add_row(results, {.scheme = "b"}, {2.5, 2.5, 2.8, 2.8, 2.8, 3.1});
  EXPECT_THAT(testing::line_of(testing::judged(results, {testing::claim("left < right")})),
              HasSubstr(", n 6 (1 with skipped steps)"));
  EXPECT_THAT(testing::line_of(testing::judged(results, {testing::claim("left < 4", {{"positional", "b"}}, nullptr)})),
              ::testing::Not(HasSubstr("skipped")));
}

// With rows a and b, "not c" matches every row, so a would be compared with itself.
TEST_F(Six, AValueThatNoRowHasIsUndecided) {
  for (const json& side : {json{{"positional", {{"not", "c"}}}}, json{{"positional", {"b", "c"}}}}) {
    const auto found =
        testing::judged(results_, {testing::claim("left < right", {{"positional", "a"}}, side)}).claims.at(0);
    EXPECT_EQ(found.verdict, Verdict::kUndecided);
    EXPECT_EQ(found.pairs.size(), 0u);
    EXPECT_THAT(found.remarks, Contains("A side of the claim: no run has positional = c; its values are a, b."));
  }
  const auto known = testing::judged(
      results_, {testing::claim("left < right", {{"positional", "a"}}, {{"positional", {{"not", "a"}}}})});
  EXPECT_EQ(known.claims.at(0).verdict, Verdict::kSupported);
}

TEST_F(Six, AllVerdicts) {
  const auto verdict = [&](const json& one) { return testing::judged(results_, {one}).claims.at(0).verdict; };
  EXPECT_EQ(verdict(testing::claim("left < right")), Verdict::kSupported);
  EXPECT_EQ(verdict(testing::claim("right > left")), Verdict::kSupported);
  EXPECT_EQ(verdict(testing::claim("left > right")), Verdict::kRefuted);
  EXPECT_EQ(verdict(testing::claim("left < right - 0.5")), Verdict::kUndecided);
  EXPECT_EQ(verdict(testing::claim("left < right - 0.7")), Verdict::kRefuted);
  EXPECT_EQ(verdict(testing::claim("left < 0.9 * right")), Verdict::kSupported);
  EXPECT_EQ(verdict(testing::claim("left = right within 0.7")), Verdict::kSupported);
  EXPECT_EQ(verdict(testing::claim("left = right within 0.55")), Verdict::kUndecided);
  EXPECT_EQ(verdict(testing::claim("left = right within 0.3")), Verdict::kRefuted);
  EXPECT_EQ(verdict(testing::claim("left < 3", {{"positional", "a"}}, nullptr)), Verdict::kSupported);
  EXPECT_EQ(verdict(testing::claim("left < 2.2", {{"positional", "a"}}, nullptr)), Verdict::kUndecided);
}

// Holm over three claims: the p of the first is multiplied by three, those of the others stay 1.
TEST_F(Six, ClaimsOfAFileAreOneFamily) {
  const auto found = testing::judged(results_, {testing::claim("left < right - 0.3"), testing::claim("left > right"),
                                                testing::claim("left < right - 0.5")});
  EXPECT_NEAR(found.claims[0].p_support, 3 * 0.0027649603013049557, 1e-9);
  EXPECT_EQ(found.count(Verdict::kSupported), 1u);
  EXPECT_EQ(found.count(Verdict::kRefuted), 1u);
  EXPECT_EQ(found.count(Verdict::kUndecided), 1u);
}

TEST_F(Six, TwoMetricsOfOneRow) {
  ResultsBuilder results;
  for (int seed = 1; seed <= 6; ++seed)
    results.finished({.scheme = "a", .seed = seed}, {{64, 2.0 + 0.01 * seed}, {512, 2.5 + 0.02 * seed}});
  const json left = {{"positional", "a"}, {"metric", "lm.bits_per_byte@length=512"}}, right = {{"positional", "a"}};
  const auto found = testing::judged(results, {testing::claim("left < right", left, right)}).claims.at(0);
  EXPECT_EQ(found.verdict, Verdict::kRefuted);
  EXPECT_NEAR(found.pairs[0].test->difference, 0.5 + 0.01 * 3.5, 1e-12);
}

TEST(Claims, FewerThanSixSeedsAreUndecided) {
  ResultsBuilder results;
  testing::add_row(results, {.scheme = "a"}, {1.0, 1.01, 1.02, 1.0, 1.01});
  testing::add_row(results, {.scheme = "b"}, {9.0, 9.02, 9.01, 9.0, 9.03});
  const auto judgement = testing::judged(results, {testing::claim("left < right")});
  const auto& found = judgement.claims.at(0);
  EXPECT_EQ(found.verdict, Verdict::kUndecided);
  EXPECT_THAT(found.remarks, Contains("n is too small: 5 of the at least 6 seeds that a verdict needs."));
  EXPECT_FALSE(found.needed);  // the spread of fewer seeds is unreliable
  EXPECT_THAT(claim_lines(found, judgement.level),
              Contains("not tested, so its p is 1 in Holm's correction over the claims, at level 0.05"));
}

TEST(Claims, AnUndecidedClaimReportsTheSeedsItNeeds) {
  ResultsBuilder results;
  testing::add_row(results, {.scheme = "a"}, {0.0, 0.1, 0.2, 0.3, 0.4, 0.5});
  testing::add_row(results, {.scheme = "b"}, {0.2, 0.0, 0.3, 0.2, 0.5, 0.7});
  // a - b is -0.2, 0.1, -0.1, 0.1, -0.1, -0.2: mean -1/15, standard deviation 0.1366; the paired t test of d = -0.488
  // at level 0.05 has power 0.8 from n = 35 on, with the formulas of power_test.cpp.
  const auto found = testing::judged(results, {testing::claim("left < right")}).claims.at(0);
  EXPECT_EQ(found.verdict, Verdict::kUndecided);
  EXPECT_EQ(found.needed, 35u);
  EXPECT_THAT(found.remarks,
              Contains("35 seeds are needed to support the claim at the present spread (power 0.8 at level 0.05)."));
  const auto against = testing::judged(results, {testing::claim("left > right")}).claims.at(0);
  EXPECT_THAT(against.remarks,
              Contains("35 seeds are needed to refute the claim at the present spread (power 0.8 at level 0.05)."));
}

// One pair is enough to refute a claim about both, at half the level: with the same formulas n = 43 for d = 0.488 at
// 0.025. The other pair supports the claim and would need 881 seeds, which does not matter.
TEST(Claims, TheSeedsToRefuteAreThoseOfOnePair) {
  ResultsBuilder results;
  testing::add_row(results, {.scheme = "a"}, {0.0, 0.1, 0.2, 0.3, 0.4, 0.5});
  testing::add_row(results, {.scheme = "b"}, {0.2, 0.0, 0.3, 0.2, 0.5, 0.7});
  testing::add_row(results, {.scheme = "c"}, {0.0, 0.2, 0.0, 0.5, 0.2, 0.5});
  const auto found =
      testing::judged(results, {testing::claim("left > right", {{"positional", "a"}}, {{"positional", {"b", "c"}}})})
          .claims.at(0);
  ASSERT_EQ(found.pairs.size(), 2u);
  EXPECT_THAT(
      found.remarks,
      Contains(HasSubstr(" seeds are needed to refute the claim at the present spread (power 0.8 at level 0.025).")));
  EXPECT_EQ(found.needed, 43u);
}

TEST(Claims, ADivergedRunIsUndecidedOrWorst) {
  ResultsBuilder results;
  testing::add_row(results, {.scheme = "a"}, {2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.4});
  testing::add_row(results, {.scheme = "b"}, {2.5, 2.6, nullptr, 2.8, 2.9, 3.0, 2.5});
  auto plain = testing::claim("left < right");
  auto found = testing::judged(results, {plain}).claims.at(0);
  EXPECT_EQ(found.verdict, Verdict::kUndecided);
  EXPECT_THAT(found.remarks, Contains(HasSubstr("1 run diverged, so the claim cannot be decided")));
  plain["diverged"] = "worst";
  found = testing::judged(results, {plain}).claims.at(0);
  EXPECT_EQ(found.verdict, Verdict::kSupported);
  EXPECT_TRUE(found.pairs[0].by_rank);
  EXPECT_EQ(found.p_support, 2.0 / 128);  // all seven signs agree
  auto other = testing::claim("right < left");
  other["diverged"] = "worst";
  EXPECT_EQ(testing::judged(results, {other}).claims.at(0).verdict, Verdict::kRefuted);
}

// Two learning rates: at 0.001 a is better by 0.5, at 0.01 it is worse by 0.3 (with the same small noise).
class TwoRates : public ::testing::Test {
 protected:
  TwoRates() {
    const std::vector<double> noise{0.00, 0.02, -0.02, 0.01, -0.01, 0.00};
    const auto add = [&](const char* scheme, double rate, double level, double share) {
      std::vector<json> values;
      for (const double one : noise) values.push_back(level + share * one);
      testing::add_row(results_, {.scheme = scheme, .more_axes = {{"optimizer.lr", rate}}}, values);
    };
    add("a", 0.001, 2.0, 1);
    add("a", 0.01, 2.8, 1);
    add("b", 0.001, 2.5, -1);
    add("b", 0.01, 2.4, -1);
  }
  json over(const std::string& how) const {
    auto made = testing::claim("left < right");
    made["over"] = how;
    return made;
  }
  const json kTune = {{"tune", {{"over", {"optimizer.lr"}}, {"by", "lm.bits_per_byte@length=64"}}}};
  ResultsBuilder results_;
};

TEST_F(TwoRates, Each) {
  const auto found = testing::judged(results_, {over("each")}).claims.at(0);
  EXPECT_EQ(found.pairs.size(), 2u);
  EXPECT_EQ(found.verdict, Verdict::kRefuted);  // one pair is enough, with twice its p
  EXPECT_DOUBLE_EQ(found.p_refute, 2 * found.pairs[1].p_refute);
}

// The mean difference is (-0.5 + 0.4) / 2 = -0.05, with 2 x noise: standard error 2 * sqrt(0.001 / 5 / 6).
TEST_F(TwoRates, Mean) {
  const auto found = testing::judged(results_, {over("mean")}).claims.at(0);
  ASSERT_EQ(found.pairs.size(), 1u);
  EXPECT_NEAR(found.pairs[0].test->difference, -0.05, 1e-12);
  EXPECT_NEAR(found.pairs[0].test->standard_error, 2 * std::sqrt(0.001 / 30), 1e-12);
  EXPECT_EQ(found.verdict, Verdict::kSupported);
}

TEST_F(TwoRates, TunedUsesTheBestTrialOfEachSide) {
  const auto found = testing::judged(results_, {over("tuned")}, kTune).claims.at(0);
  ASSERT_EQ(found.pairs.size(), 1u);
  EXPECT_EQ(found.pairs[0].left, "positional=a optimizer.lr=0.001");
  EXPECT_EQ(found.pairs[0].right, "positional=b optimizer.lr=0.01");
  EXPECT_NEAR(found.pairs[0].test->difference, -0.4, 1e-12);
  EXPECT_EQ(found.verdict, Verdict::kSupported);
}

// Both sides need equal numbers of trials: the best of two is not compared with the best of three while one is
// unfinished.
TEST_F(TwoRates, AnUnfinishedTrialKeepsATunedClaimOpen) {
  results_.plan({.scheme = "a", .seed = 1, .more_axes = {{"optimizer.lr", 0.1}}});
  const auto found = testing::judged(results_, {over("tuned")}, kTune).claims.at(0);
  EXPECT_EQ(found.verdict, Verdict::kUndecided);
  EXPECT_THAT(found.remarks, Contains(HasSubstr("1 of the 3 trials like positional=a")));
}

TEST_F(TwoRates, ReportedSeedsAreNotUsedForSelection) {
  auto compare = kTune;
  compare["report"] = {{"seeds", {4, 5, 6}}};
  const auto found = testing::judged(results_, {over("tuned")}, compare).claims.at(0);
  EXPECT_EQ(found.pairs.at(0).n, 3u);
  EXPECT_THAT(found.remarks, Contains(HasSubstr("n is too small")));
}

// A study with at most 12 seeds has interim analyses at 6 and at 9: each has its own level, and its decisions are kept.
TEST_F(Six, InterimAnalysesShareTheLevelAndKeepTheirVerdicts) {
  const auto one = testing::claim("left < right - 0.3");
  const auto hash = study::compare_settings_of({{"claim", {one}}}, "t").claims[0].hash;
  InterimAnalyses interim{12, {}};
  EXPECT_NEAR(testing::judged(results_, {one}, json::object(), interim).level, 0.005574596680784402, 1e-9);
  EXPECT_EQ(testing::judged(results_, {one}, json::object(), interim).claims[0].verdict, Verdict::kSupported);
  interim.analyses.push_back({6, 0.001, {}});
  EXPECT_EQ(testing::judged(results_, {one}, json::object(), interim).claims[0].verdict, Verdict::kUndecided);
  interim.analyses.push_back({9, 0.01, {{hash, "refuted"}}});
  EXPECT_EQ(testing::judged(results_, {one}, json::object(), interim).claims[0].verdict, Verdict::kRefuted);
}

// An analysis at seven seeds, which was not planned, would raise the error rate above the level.
TEST_F(Six, NothingIsDecidedBetweenInterimAnalyses) {
  const auto one = testing::claim("left < right - 0.3");
  const auto now = [&](const InterimAnalyses& interim) {
    return testing::judged(results_, {one}, json::object(), interim, false).claims[0];
  };
  EXPECT_EQ(now({}).verdict, Verdict::kSupported);
  EXPECT_EQ(now({12, {}}).verdict, Verdict::kUndecided);
  EXPECT_THAT(now({12, {}}).remarks, Contains(HasSubstr("Claims are decided only at an interim analysis")));
  EXPECT_EQ(now({12, {{6, 0.01, {}}}}).verdict, Verdict::kSupported);
}

TEST_F(Six, NoRowsAreUndecided) {
  auto nobody = testing::claim("left < right", {{"positional", "c"}});
  nobody["unmatched"] = "drop";
  const auto found = testing::judged(results_, {nobody}).claims[0];
  EXPECT_EQ(found.verdict, Verdict::kUndecided);
  EXPECT_EQ(found.p_refute, 1);
}

TEST_F(Six, ADivergedRunWithoutAPartnerKeepsTheClaimOpen) {
  results_.finished({.scheme = "a", .seed = 7}, {{64, nullptr}});
  results_.plan({.scheme = "b", .seed = 7});
  EXPECT_EQ(testing::judged(results_, {testing::claim("left < right - 0.3")}).claims[0].verdict, Verdict::kUndecided);
}

TEST_F(Six, AMisspelledMetricIsNamed) {
  auto one = testing::claim("left < right");
  one["metric"] = "lm.bits_per_bite@length=64";
  EXPECT_THAT(testing::judged(results_, {one}).claims[0].remarks,
              Contains(HasSubstr("did you mean 'lm.bits_per_byte@length=64'?")));
}

// As in the table: b scores 10 and 30 nats on weights 2 and 4, a 8 and 18; the differences per document are -2/2 and
// -12/4 for seed 1, and 1.5 times that in the mean. The claim asks for a difference of at least 1.
TEST(Claims, DocumentIntervalsArePrintedBeside) {
  ResultsBuilder results;
  results.two_documents("b", 10, 30);
  results.two_documents("a", 8, 18);
  const auto judgement = testing::judged(results, {testing::claim("left < right - 1")});
  const auto& pair = judgement.claims.at(0).pairs.at(0);
  ASSERT_TRUE(pair.documents);
  EXPECT_NEAR(pair.documents->low, -9 + 1, 1e-12);
  EXPECT_NEAR(pair.documents->high, -3 + 1, 1e-12);
  EXPECT_THAT(format_claims_text(judgement), HasSubstr(", over documents [-8, -2]"));
}

TEST(Claims, TunedAxesArePartOfATunedClaim) {
  auto one = testing::claim("left < right");
  const auto hash = [&](const char* by) {
    const json compare = {{"tune", {{"over", {"optimizer.lr"}}, {"by", by}, {"split", "validation"}}}};
    return study::compare_settings_of({{"claim", {one}}, {"compare", compare}}, "t").claims.at(0).hash;
  };
  EXPECT_EQ(hash("lm.bits_per_byte@length=64"), hash("lm.bits_per_byte@length=512"));
  one["over"] = "tuned";
  EXPECT_NE(hash("lm.bits_per_byte@length=64"), hash("lm.bits_per_byte@length=512"));
}

TEST(LooksFrom, GrowByHalfUpToTheMaximum) {
  EXPECT_EQ(interim_seed_counts(6, 24), (std::vector<std::size_t>{6, 9, 13, 19, 24}));
  EXPECT_EQ(interim_seed_counts(6, 9), (std::vector<std::size_t>{6, 9}));
  EXPECT_EQ(interim_seed_counts(6, 6), (std::vector<std::size_t>{6}));
}

TEST(LooksFile, RoundTrip) {
  const ResultsBuilder results;
  std::filesystem::create_directories(results.experiment().folder());
  EXPECT_EQ(read_interim_analyses(results.experiment()).most_seeds, 0u);
  write_interim_analyses(results.experiment(), {24, {{6, 0.001, {{"h", "supported"}}}}});
  const auto back = read_interim_analyses(results.experiment());
  EXPECT_EQ(back.most_seeds, 24u);
  EXPECT_EQ(back.analyses.at(0).seeds, 6u);
  EXPECT_EQ(back.analyses.at(0).level, 0.001);
  EXPECT_EQ(back.analyses.at(0).decided.at("h"), "supported");
}

TEST_F(Six, Formats) {
  const auto found =
      testing::judged(results_, {testing::claim("left < right - 0.3"), testing::claim("left < right - 0.5")});
  const auto text = format_claims_text(found);
  EXPECT_THAT(text, HasSubstr("quick: 2 claims: 1 supported, 0 refuted, 1 undecided\n"));
  EXPECT_THAT(text, HasSubstr("\nsupported  It is so.\n"));
  EXPECT_THAT(text,
              HasSubstr("positional=a against positional=b: left - right + 0.3 = -0.2 ± 0.094, p 0.0028, sign-flip p "
                        "0.031 (floor 0.031), n 6, r "));
  EXPECT_THAT(text, HasSubstr("The claim was stated after the plan was made and is not in it.\n"));
  EXPECT_THAT(format_claims_markdown(found),
              HasSubstr("\n**undecided**: It is so.\n\n- `left < right - 0.5` in lm.bits"));
  const auto parsed = json::parse(format_claims_json(found));
  EXPECT_EQ(parsed["claims"][0]["verdict"], "supported");
  EXPECT_NEAR(parsed["claims"][0]["pairs"][0]["half_width"].get<double>(), 2.5705818356363146 * std::sqrt(0.04 / 30),
              1e-9);
}

// Values at earlier steps come from the training events, because the record has only the final ones.
TEST(Claims, TwoStepsOfOneMetric) {
  ResultsBuilder results;
  for (int seed = 1; seed <= 6; ++seed) {
    results.finished({.scheme = "a", .seed = seed}, {{64, 2.0}});
    std::string events;
    for (const int step : {10, 20}) {
      const json metric = {{"name", "bits_per_byte"},
                           {"value", 3.0 - 0.05 * step + 0.01 * seed * step / 10},
                           {"sum", 1},
                           {"weight", 1},
                           {"direction", "lower"},
                           {"coordinates", {{"length", 64}}}};
      events +=
          json{{"attempt", 1}, {"type", "evaluate"}, {"label", "lm"}, {"step", step}, {"metrics", {metric}}}.dump() +
          "\n";
    }
    results.write_events({.scheme = "a", .seed = seed}, events);
  }
  const json early = {{"positional", "a"}, {"metric", "lm.bits_per_byte@length=64,step=10"}};
  const json late = {{"positional", "a"}, {"metric", "lm.bits_per_byte@length=64,step=20"}};
  const auto found = testing::judged(results, {testing::claim("left < right - 0.4", late, early)}).claims.at(0);
  ASSERT_TRUE(found.pairs.at(0).test);
  EXPECT_NEAR(found.pairs[0].test->difference, -0.5 + 0.035 + 0.4, 1e-12);
  EXPECT_EQ(found.verdict, Verdict::kSupported);
}

// A metric that does not apply to a model has no value, at a step as at the end; only non-finite values count as
// diverged.
TEST(Claims, AMetricThatDoesNotApplyAtAStepIsNoDivergence) {
  ResultsBuilder results;
  results.finished({.scheme = "a", .seed = 1}, {{64, 2.0}});
  const auto event = [](const json& sum) {
    const json metric = {{"name", "bits_per_byte"}, {"value", nullptr}, {"sum", sum}, {"direction", "lower"}};
    return json{{"attempt", 1}, {"type", "evaluate"}, {"label", "lm"}, {"step", 10}, {"metrics", {metric}}}.dump() +
           "\n";
  };
  auto one = testing::claim("left < 3", {{"positional", "a"}, {"metric", "lm.bits_per_byte@step=10"}}, nullptr);
  results.write_events({.scheme = "a", .seed = 1}, event(0.0));
  EXPECT_EQ(testing::judged(results, {one}).claims.at(0).pairs.at(0).pairs.diverged, 0);
  results.write_events({.scheme = "a", .seed = 1}, event(nullptr));
  EXPECT_EQ(testing::judged(results, {one}).claims.at(0).pairs.at(0).pairs.diverged, 1);
}

}  // namespace
}  // namespace assay::compare
