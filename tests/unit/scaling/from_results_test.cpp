#include "scaling/from_results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assay/error.h"
#include "unit/compare/results_builder.h"

namespace assay::scaling {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

assay::testing::BuiltRun run_of(const std::string& scheme, int seed, double parameters, double tokens) {
  return {.scheme = scheme,
          .seed = seed,
          .parameters = parameters,
          .more_axes = {{"model.width", parameters}},
          .more_record = {{"tokens", tokens},
                          {"parameters_non_embedding", parameters / 2},
                          {"flops", {{"six_nd", 6 * parameters * tokens}, {"exact", 7 * parameters * tokens}}}}};
}

struct Empty {
  Empty() {
    settings.metric.name = "lm.bits_per_byte@length=64";
    settings.by = {"positional"};
  }
  MeasuredGroups groups() {
    return measured_groups(compare::read_results(results.experiment(), ""), settings, baseline);
  }

  assay::testing::ResultsBuilder results;
  study::ScalingSettings settings;
  std::optional<sweep::Selector> baseline;
};

struct Fixture : Empty {
  Fixture() {
    results.finished(run_of("alibi", 1, 100, 50), {{64, 2.0}});
    results.finished(run_of("alibi", 2, 100, 50), {{64, 2.1}});
    results.finished(run_of("none", 1, 200, 80), {{64, nullptr}});  // diverged in the evaluation
    results.plan(run_of("none", 2, 200, 80));                       // not run yet
    results.finished(run_of("none", 3, 200, 80), {{64, 2.5}});
  }
};

TEST(ScalingFromResults, OneGroupPerValueOfTheAxes) {
  Fixture fixture;
  const auto [groups, notes, baseline] = fixture.groups();
  ASSERT_EQ(groups.size(), 2);
  EXPECT_EQ(groups[0].name, "positional=alibi");
  ASSERT_EQ(groups[0].points.size(), 2);
  EXPECT_EQ(groups[0].points[1].parameters, 100);
  EXPECT_EQ(groups[0].points[1].tokens, 50);
  EXPECT_EQ(groups[0].points[1].flops, 6 * 100 * 50);
  EXPECT_EQ(groups[0].points[1].loss, 2.1);
  EXPECT_THAT(groups[0].points[1].name, HasSubstr("seed=2"));
  EXPECT_EQ(groups[1].points.size(), 1);
  EXPECT_EQ(groups[0].points[1].seed, 2);
  EXPECT_FALSE(baseline);
  EXPECT_THAT(notes, ElementsAre(HasSubstr("seed=1 has no lm.bits_per_byte@length=64 (1 diverged)"),
                                 HasSubstr("seed=2 has no lm.bits_per_byte@length=64 (1 pending)")));
}

TEST(ScalingFromResults, TheBaselineIsTheGroupThatMatchesIt) {
  Fixture fixture;
  EXPECT_FALSE(fixture.groups().baseline);
  fixture.baseline = assay::testing::baseline("positional", "none");
  EXPECT_EQ(fixture.groups().baseline, 1);
  fixture.baseline = assay::testing::baseline("positional", "t5");
  EXPECT_FALSE(fixture.groups().baseline);
}

TEST(ScalingFromResults, CountsAndFlopsAsTheFileSays) {
  Fixture fixture;
  fixture.settings.non_embedding = true;
  EXPECT_EQ(fixture.groups().groups[0].points[0].parameters, 50);
  EXPECT_EQ(fixture.groups().groups[0].points[0].flops, 6 * 50 * 50);
  fixture.settings.flops = "exact";
  EXPECT_EQ(fixture.groups().groups[0].points[0].flops, 7 * 100 * 50);
}

// The smallest model of the paper's table A4, with three sequences of 2,048 tokens.
TEST(ScalingFromResults, CountsFlopsAsAppendixFDoes) {
  const double body = 53'248'000, table = 32'000 * 640;
  auto run = run_of("alibi", 1, body + table, 3 * 2048);
  run.more_record["parameters_non_embedding"] = body;
  run.train = {{"model", {{"layers", 10}, {"width", 640}, {"heads", 10}, {"ffn", 0}}}, {"data", {{"context", 2048}}}};
  Empty fixture;
  fixture.results.finished(run, {{64, 2.0}});
  run.seed = 2;
  run.train["model"].update({{"ffn", 1280}, {"tied_head", false}});  // the head is no embedding
  run.parameters = body + 2 * table;
  run.more_record["parameters_non_embedding"] = body + table;
  fixture.results.finished(run, {{64, 2.1}});
  fixture.settings.flops = "layers_only";
  EXPECT_EQ(fixture.groups().groups[0].points[0].flops, 3 * 929'877'196'800);
  fixture.settings.flops = "app_f_literal";
  EXPECT_EQ(fixture.groups().groups[0].points[0].flops, 3 * 1'433'193'676'800);
  // Half the feed-forward width: 3 * 10 * 2 * 2048 * 2 * 640 * 1280 less. Both tables are embeddings.
  EXPECT_EQ(fixture.groups().groups[0].points[1].flops, 3 * (1'433'193'676'800 - 201'326'592'000));

  run.seed = 3;
  run.train["model"].erase("heads");
  fixture.results.finished(run, {{64, 2.1}});
  EXPECT_THAT([&] { fixture.groups(); },
              ThrowsMessage<UserError>(
                  AllOf(HasSubstr("needs layers, width, heads and ffn, but model 'gpt' has no number 'heads'"),
                        HasSubstr("set flops to 6nd or exact"))));
}

TEST(ScalingFromResults, CurvesHaveTheFlopsOfEachStep) {
  Fixture fixture;
  fixture.settings.envelope = true;
  const auto run = run_of("alibi", 1, 100, 50);
  fixture.results.write_events(run,
                               "{\"attempt\":1,\"type\":\"start\"}\n"
                               "{\"attempt\":1,\"type\":\"step\",\"step\":1,\"loss\":5.0}\n"
                               "{\"attempt\":1,\"type\":\"step\",\"step\":500,\"loss\":3.0}\n"
                               "{\"attempt\":1,\"type\":\"step\",\"step\":1000,\"loss\":2.0}\n");
  const auto curve = fixture.groups().groups[0].curves[0];
  EXPECT_THAT(curve.flops, ElementsAre(30, 15000, 30000));
  EXPECT_THAT(curve.losses, ElementsAre(5, 3, 2));
}

TEST(ScalingFromResults, SaysWhatIsMissing) {
  Fixture fixture;
  fixture.settings.metric.name = "lm.bits_per_byte@length=8";
  try {
    fixture.groups();
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("quick: no run has a value of lm.bits_per_byte@length=8"));
  }
  Fixture old;
  auto run = run_of("alibi", 9, 100, 50);
  run.more_record.erase("parameters_non_embedding");
  old.results.finished(run, {{64, 2.0}});
  old.settings.non_embedding = true;
  try {
    old.groups();
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("the record has no train.parameters_non_embedding"));
  }
}

}  // namespace
}  // namespace assay::scaling
