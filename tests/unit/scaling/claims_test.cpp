// Claims about compute multipliers, judged with the other claims of a file.
#include "scaling/claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "compare/formats/format_claims.h"
#include "compare/verdicts/claims.h"
#include "unit/compare/results_builder.h"
#include "unit/scaling/surface.h"

namespace assay::scaling {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Six budgets, three seeds; alibi needs 1 / 1.3 of the compute of none.
class ScalingClaims : public ::testing::Test {
 protected:
  assay::testing::BuiltRun run(const std::string& scheme, int rung, int seed) {
    const double tokens = 1e6 * std::pow(2, rung);
    return {.scheme = scheme,
            .seed = seed,
            .parameters = 1e5,
            .more_axes = {{"train.tokens", tokens}},
            .more_record = {{"tokens", tokens}, {"flops", {{"six_nd", 6e5 * tokens}}}}};
  }
  double loss_of(const std::string& scheme, int rung, int seed) {
    const double flops = 6e11 * std::pow(2, rung) * (scheme == "alibi" ? 1.3 : 1);
    return 2 + 30 * std::pow(flops, -0.05) + 1e-4 * std::sin(7 * rung + 3 * seed) +
           2e-5 * std::sin(11 * rung + 5 * seed + (scheme == "alibi"));
  }
  void build(int rungs = 6) {
    for (const std::string scheme : {"none", "alibi"})
      for (int rung = 0; rung < rungs; ++rung)
        for (int seed = 1; seed <= 3; ++seed)
          results_.finished(run(scheme, rung, seed), {{64, loss_of(scheme, rung, seed)}});
  }
  compare::JudgedClaim judged(const std::string& metric, const std::string& holds) {
    const auto settings = study::compare_settings_of(
        {{"scaling", {{"metric", "lm.bits_per_byte@length=64"}, {"by", {"positional"}}, {"seed", 1}}},
         {"compare", {{"baseline", {{"positional", "none"}}}}},
         {"claim", {{{"says", "x"}, {"metric", metric}, {"left", {{"positional", "alibi"}}}, {"holds", holds}}}}},
        "test");
    auto results = compare::read_results(results_.experiment(), "");
    const auto samples = multiplier_samples(results, settings);
    return compare::judge(
               results,
               {.settings = settings, .results_when_stated = {}, .interim = {}, .command = "", .samples = samples})
        .claims.at(0);
  }
  assay::testing::ResultsBuilder results_;
};

TEST_F(ScalingClaims, TheMultiplierAtTheLargestRung) {
  build();
  const auto above = judged("scaling.multiplier", "left > 1.1");
  EXPECT_EQ(above.verdict, compare::Verdict::kSupported);
  ASSERT_EQ(above.pairs.size(), 1);
  EXPECT_EQ(above.pairs[0].left, "positional=alibi");
  EXPECT_EQ(above.pairs[0].right, "positional=none");
  EXPECT_EQ(above.pairs[0].n, 6);
  EXPECT_NEAR(above.pairs[0].test->difference, 0.2, 0.03);
  EXPECT_EQ(judged("scaling.multiplier", "left < 1.1").verdict, compare::Verdict::kRefuted);
  EXPECT_EQ(judged("scaling.multiplier", "left > 1.3").verdict, compare::Verdict::kUndecided);
}

// A claim whose fit is changed after its results is a new one.
TEST_F(ScalingClaims, HowTheyAreFittedIsPartOfThem) {
  const auto hash = [](const std::string& metric, double window, const std::string& baseline) {
    return study::compare_settings_of(
               {{"scaling", {{"metric", "lm.bits_per_byte@length=64"}, {"seed", 1}, {"window", window}}},
                {"compare", {{"baseline", {{"positional", baseline}}}}},
                {"claim",
                 {{{"says", "x"}, {"metric", metric}, {"left", {{"positional", "alibi"}}}, {"holds", "left > 1"}}}}},
               "test")
        .claims.at(0)
        .hash;
  };
  for (const char* metric : {"scaling.multiplier", "scaling.multiplier_slope"}) {
    EXPECT_EQ(hash(metric, 0.1, "none"), hash(metric, 0.1, "none"));
    EXPECT_NE(hash(metric, 0.1, "none"), hash(metric, 0.2, "none"));
    EXPECT_NE(hash(metric, 0.1, "none"), hash(metric, 0.1, "t5"));
  }
  EXPECT_EQ(hash("lm.nll", 0.1, "none"), hash("lm.nll", 0.2, "t5"));
}

TEST_F(ScalingClaims, TheirTestsAreNotOverSeeds) {
  build();
  compare::Judgement judgement;
  judgement.claims = {judged("scaling.multiplier", "left > 1.1")};
  EXPECT_THAT(compare::claim_captions(judgement)[0],
              StartsWith("The tests of compute multipliers are t tests over budgets and seeds; \u00b1 is"));
  judgement.claims.emplace_back().left_metric = "lm.nll";
  EXPECT_THAT(
      compare::claim_captions(judgement)[0],
      StartsWith("The tests are paired t tests over seeds, on this held-out text; those of compute multipliers are"));
}

TEST_F(ScalingClaims, AGainThatDoesNotFade) {
  build();
  EXPECT_EQ(judged("scaling.multiplier_slope", "left > -0.2").verdict, compare::Verdict::kSupported);
  EXPECT_EQ(judged("scaling.multiplier_slope", "left < -0.2").verdict, compare::Verdict::kRefuted);
}

TEST_F(ScalingClaims, FewBudgetsDecideNothing) {
  build(5);
  const auto claim = judged("scaling.multiplier", "left > 1.1");
  EXPECT_EQ(claim.verdict, compare::Verdict::kUndecided);
  EXPECT_THAT(claim.remarks.at(0), HasSubstr("a verdict needs 6 budgets"));
}

TEST_F(ScalingClaims, AMissingRunDecidesNothing) {
  build();
  results_.plan(run("alibi", 6, 1));
  const auto claim = judged("scaling.multiplier", "left > 1.1");
  EXPECT_EQ(claim.verdict, compare::Verdict::kUndecided);
  EXPECT_THAT(claim.remarks.back(), HasSubstr("1 run is pending"));
}

}  // namespace
}  // namespace assay::scaling
