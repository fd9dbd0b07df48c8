// The parts of a report beside its table, and how they are embedded in the page.
#include "report/report.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/lock.h"
#include "compare/table/collect.h"
#include "record/controllers.h"
#include "report/configuration.h"
#include "report/examples.h"
#include "report/failures.h"
#include "report/page.h"
#include "report/watch.h"
#include "unit/compare/results_builder.h"
#include "unit/plan_line.h"

namespace assay::report {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

record::PlanLine line(double lr, const std::string& scheme) {
  const json path = {{"name", "austen"}, {"path", "/x"}, {"sha256", "feedfacefeedface"}};
  return testing::plan_line(
      {{"group", scheme},
       {"train",
        {{"data", {{"dataset", {{"path", path}}}}},
         {"model", {{"positional", {{"use", scheme}}}}},
         {"objectives", {{{"label", "mle"}, {"use", "mle"}, {"weight", 1.0}}}},
         {"optimizer", {{"lr", lr}}}}},
       {"evaluate",
        {{{"id", "x"}, {"label", "lm"}, {"split", "test"}, {"config", {{"use", "lm"}, {"lengths", {64, 128}}}}}}},
       {"resources", {{"mesh", {{"tensor", 2}}}}}});
}

TEST(Configuration, UsesTheNamesOfTheExperimentFile) {
  EXPECT_THAT(
      flat_configuration(line(0.003, "alibi")),
      ElementsAre(Pair("data.context", 16), Pair("data.dataset", "text"),
                  Pair("data.dataset.path", "austen feedfacefeed"), Pair("data.tokenizer", "bytes"),
                  Pair("evaluate.lm", "lm"), Pair("evaluate.lm.every", 0), Pair("evaluate.lm.lengths", json({64, 128})),
                  Pair("evaluate.lm.split", "test"), Pair("model", "gpt"), Pair("objective.mle", "mle"),
                  Pair("objective.mle.weight", 1.0), Pair("optimizer", "adamw"), Pair("optimizer.lr", 0.003),
                  Pair("positional", "alibi"), Pair("resources.device", "cpu"),
                  Pair("resources.mesh.backend", "threads"), Pair("resources.mesh.data", 1),
                  Pair("resources.mesh.sequence_parallel", false), Pair("resources.mesh.tensor", 2),
                  Pair("resources.micro_batch", 1), Pair("resources.threads", 1), Pair("scheduler", "constant"),
                  Pair("train.batch", 1), Pair("train.clip_norm", 1.0), Pair("train.non_finite", "stop"),
                  Pair("train.precision", "fp32"), Pair("train.steps", 0)));
}

TEST(Configuration, DifferencesAndEqualKeys) {
  auto other = line(0.0030000001, "rotary");
  other.train.model["positional"]["theta"] = 10000;
  const auto compared = compare_configurations({line(0.003, "alibi"), other});
  EXPECT_THAT(compared.keys,
              ElementsAre("model.positional.theta", "optimizer.lr", "positional"));  // lr is only printed alike
  EXPECT_THAT(compared.values, ElementsAre(ElementsAre("", "0.003", "alibi"), ElementsAre("10000", "0.003", "rotary")));
  EXPECT_THAT(compared.common, ::testing::Contains(Pair("evaluate.lm.lengths", "[64,128]")));
}

TEST(Failures, GiveTheReasonWithTheEndOfTheLog) {
  testing::ResultsBuilder results;
  results.finished({.scheme = "a", .seed = 1}, {{64, 2.0}});
  results.failed({.scheme = "a", .seed = 2}, "plugin");
  const auto log = results.experiment().run("a2").log();
  base::write_atomically(log, "one\ntwo\nthree");
  const std::vector lines = {
      testing::plan_line({{"train_id", "a1"}, {"evaluate", {{{"id", "e-a1"}, {"label", "lm"}}}}}),
      testing::plan_line({{"train_id", "a2"}, {"label", "positional=a"}, {"seed", 2}})};
  const auto failures = failures_of(lines, results.experiment(), 2);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].reason, "it broke");
  EXPECT_EQ(failures[0].failure_class, "plugin");
  EXPECT_EQ(failures[0].seed, 2);
  EXPECT_THAT(failures[0].last_lines, ElementsAre("two", "three"));
}

TEST(Report, ListsTheRunsThatSkippedSteps) {
  testing::ResultsBuilder results;
  results.finished({.scheme = "a", .seed = 1, .steps = 6}, {{64, 2.0}});
  results.finished({.scheme = "a", .seed = 2, .steps = 6, .skipped_steps = 5}, {{64, 2.0}});
  RunLogs logs;
  const auto table = compare::collect({.experiment = results.experiment(),
                                       .metrics = {},
                                       .baseline = std::nullopt,
                                       .mixed_code = false,
                                       .current_code = "",
                                       .command = "assay report quick"});
  const auto data = report_data(table, compare::Judgement(), results.experiment(), logs);
  EXPECT_EQ(data["skipped"].dump(), R"([{"label":"positional=a","seed":2,"text":"5 of 6 steps skipped"}])");
  EXPECT_EQ(data["failures"].dump(), "[]");
}

// Two evaluations of one run side by side: texts that both share are printed once, the prompt first.
TEST(Examples, AreShownSideBySide) {
  testing::TemporaryFolder folder;
  const record::ExperimentLayout experiment(folder.path() / "x");
  const auto record = [&](const std::string& run, const std::string& id, const json& examples) {
    folder.write("x/runs/" + run + "/eval/" + id + ".json", json{{"examples", examples}}.dump());
  };
  const auto example = [](const std::string& id, const std::string& text) {
    return json{{"id", id}, {"texts", {{"human", "H" + id}, {"prompt", "P" + id}, {"continuation", text}}}};
  };
  const auto planned = [](const std::string& run, const std::string& group, int seed) {
    return testing::plan_line({{"train_id", run},
                               {"group", group},
                               {"label", group},
                               {"seed", seed},
                               {"evaluate",
                                {{{"id", "g" + run}, {"label", "greedy"}},
                                 {{"id", "c" + run}, {"label", "contrastive"}},
                                 {{"id", "l" + run}, {"label", "lm"}}}}});
  };
  record("b", "gb", {example("1", "g1"), example("2", "g2"), example("3", "g3")});
  record("b", "cb", {example("1", "c1"), example("2", "c2")});
  record("b", "lb", json::array({json{{"id", "doc"}, {"numbers", {{"nll", 1.0}}}}}));
  record("d", "gd", json::array({example("1", "only")}));
  const auto found = written_examples(
      {planned("a", "one", 1), planned("b", "one", 2), planned("c", "one", 3), planned("d", "two", 1)}, experiment, 2);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].label, "one");
  EXPECT_EQ(found[0].seed, 2);  // the first seed with examples
  EXPECT_THAT(found[0].columns, ElementsAre("prompt", "human", "greedy: continuation", "contrastive: continuation"));
  EXPECT_THAT(found[0].rows, ElementsAre(ElementsAre("P1", "H1", "g1", "c1"), ElementsAre("P2", "H2", "g2", "c2")));
  EXPECT_THAT(found[1].columns, ElementsAre("prompt", "continuation", "human"));
}

TEST(Failures, OnlyCompleteLinesAtTheEndOfALongLogAreRead) {
  const testing::TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 10000; ++i) text += "line " + std::to_string(i) + "\n";
  const auto lines = last_lines(folder.write("log.txt", text), 100000);
  EXPECT_EQ(lines.back(), "line 9999");
  EXPECT_EQ(lines.front(), "line " + std::to_string(10000 - lines.size()));
  EXPECT_EQ(last_lines(folder.write("log.txt", std::string(100000, 'x')), 5).size(), 1u);  // one line without an end
  EXPECT_TRUE(last_lines(folder / "absent", 5).empty());
}

TEST(Page, TextOfRunsCannotLeaveTheDataBlock) {
  const auto page = page_with({{"experiment", "a<b>&\"\xff"}, {"log", "</script><!-- \xff {{script}}"}}, 5);
  EXPECT_THAT(page, HasSubstr(R"("log":"\u003c/script>\u003c!-- )"
                              "\xEF\xBF\xBD"
                              R"( {{script}}","reload_seconds":5})"));
  EXPECT_THAT(page, HasSubstr("<title>a&lt;b&gt;&amp;&quot;\xEF\xBF\xBD</title>"));
  EXPECT_THAT(page, Not(HasSubstr("\xff")));
}

// base64 of SHA-256, computed by: printf %s "$css" | openssl dgst -sha256 -binary | base64. Chromium enforces the
// hashes; this test checks that nothing else is allowed.
TEST(Page, PolicyAllowsOnlyItsOwnParts) {
  const auto page = page_with({{"experiment", "x"}}, 0);
  const auto begin = page.find("content=\"default-src 'none'; script-src 'sha256-");
  ASSERT_NE(begin, std::string::npos);
  const auto policy = page.substr(begin, page.find("\">", begin) - begin);
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
  EXPECT_THAT(policy, Not(HasSubstr("http")));
}

TEST(Watch, EndsWhenNoRunIsLeft) {
  testing::ResultsBuilder results;
  results.finished({.scheme = "a", .seed = 1}, {{64, 2.0}});
  results.failed({.scheme = "a", .seed = 2}, "plugin");
  EXPECT_FALSE(sweep_is_running(results.experiment()));
  {  // a running controller may retry the failed one
    const record::ControllerPlan own(results.experiment(), "");
    EXPECT_TRUE(sweep_is_running(results.experiment()));
  }
  base::write_atomically(results.experiment().folder() / "plan.elsewhere.1.jsonl", "");  // of a killed controller
  EXPECT_FALSE(sweep_is_running(results.experiment()));
  results.plan({.scheme = "a", .seed = 3});
  EXPECT_TRUE(sweep_is_running(results.experiment()));
}

TEST(Watch, NoticesChangesOfEverythingThatAReportReads) {
  testing::ResultsBuilder results;
  const testing::BuiltRun run{.scheme = "a", .seed = 1};
  results.plan(run);
  const auto files = results.experiment().run(run.id());
  std::set<std::string> states{state_of_files(results.experiment())};
  const auto expect_new = [&] { EXPECT_TRUE(states.insert(state_of_files(results.experiment())).second); };
  EXPECT_TRUE(states.contains(state_of_files(results.experiment())));
  std::filesystem::create_directories(files.folder());
  base::write_atomically(files.events(), "x");
  expect_new();
  base::write_atomically(files.log(), "x");
  expect_new();
  results.train(run);
  expect_new();
  results.evaluate(run, {{64, 2.0}});
  expect_new();
  base::write_atomically(files.folder() / "weights.safetensors", "x");
  EXPECT_TRUE(states.contains(state_of_files(results.experiment())));
}

}  // namespace
}  // namespace assay::report
