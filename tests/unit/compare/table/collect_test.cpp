// From records to rows: which values count, and which are missing for what reason.
#include "compare/table/collect.h"

#include <gmock/gmock.h>

#include "assay/error.h"
#include "compare/formats/cell_text.h"
#include "compare/formats/format.h"
#include "compare/results/origin.h"
#include "study/compare_settings.h"
#include "unit/compare/results_builder.h"

namespace assay::compare {
namespace {

using ::testing::AllOf;
using testing::baseline;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ResultsBuilder;

CompareRequest request(const ResultsBuilder& results, std::vector<std::string> metrics = {}) {
  return {.experiment = results.experiment(),
          .metrics = std::move(metrics),
          .baseline = std::nullopt,
          .mixed_code = false,
          .current_code = "",
          .command = "assay compare quick"};
}

std::vector<std::string> column_names(const Table& table) {
  std::vector<std::string> names;
  for (const auto& column : table.columns) names.push_back(column.name);
  return names;
}

template <typename Error>
std::string message(const CompareRequest& request) {
  try {
    collect(request);
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Collect, RowsInTheOrderOfThePlan) {
  ResultsBuilder results;
  for (const char* scheme : {"sinusoidal", "alibi", "learned"})
    for (const int seed : {2, 1}) results.finished({.scheme = scheme, .seed = seed}, {{64, seed}});
  const auto table = collect(request(results));
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_EQ(table.rows[0].label, "positional=sinusoidal");
  EXPECT_EQ(table.rows[1].label, "positional=alibi");
  EXPECT_EQ(table.rows[2].label, "positional=learned");
  EXPECT_THAT(table.rows[1].cells[0].values, ElementsAre(::testing::Pair(2, 2.0), ::testing::Pair(1, 1.0)));
  EXPECT_EQ(table.rows[1].count, (Count{.planned = 2, .present = 2}));
}

TEST(Collect, SkippedStepsAreCountedAndNoted) {
  ResultsBuilder results;
  results.finished({.scheme = "a", .seed = 1, .steps = 6, .skipped_steps = 5}, {{64, 2.0}});
  results.finished({.scheme = "a", .seed = 2, .steps = 6}, {{64, 3.0}});
  results.finished({.scheme = "b", .seed = 1, .steps = 6}, {{64, 3.0}});
  const auto table = collect(request(results));
  EXPECT_EQ(table.rows[0].count, (Count{.planned = 2, .present = 2, .skipping = 1}));
  EXPECT_EQ(table.rows[0].cells[0].count, table.rows[0].count);
  EXPECT_EQ(count_text(table.rows[0].count), "2 (1 with skipped steps)");
  EXPECT_EQ(count_text(table.rows[1].count), "1");
  EXPECT_THAT(
      table.notes,
      ::testing::Contains(
          "skipped steps, which did not change the weights (NaN, infinity or a spike): positional=a seed 1 (5 of 6)"));
  EXPECT_THAT(column_names(table), ::testing::Not(::testing::Contains("train.skipped_steps")));
  const auto asked = collect(request(results, {"train.skipped_steps"}));
  EXPECT_THAT(asked.rows[0].cells[0].values, ElementsAre(::testing::Pair(1, 5.0), ::testing::Pair(2, 0.0)));
  EXPECT_THAT(format_csv(table), HasSubstr(",stale,with_skipped_steps,"));
  EXPECT_THAT(format_json(table), HasSubstr("\"with_skipped_steps\": 1"));
}

TEST(Collect, EveryReasonForAnAbsentValue) {
  ResultsBuilder results;
  results.finished({.scheme = "a", .seed = 1}, {{64, 2.0}, {512, 4.0}});
  results.failed({.scheme = "a", .seed = 2}, "plugin");
  results.failed({.scheme = "a", .seed = 3}, "non_finite");
  results.plan({.scheme = "a", .seed = 4});
  results.finished({.scheme = "a", .seed = 5}, {{64, 3.0}});                  // length 512 is not in its record
  results.finished({.scheme = "a", .seed = 6}, {{64, nullptr}, {512, 6.0}});  // the record holds no number
  const auto table = collect(request(results));
  const auto& row = table.rows[0];
  EXPECT_EQ(row.count, (Count{.planned = 6, .present = 3, .failed = 1, .diverged = 1, .missing = 1}));
  EXPECT_EQ(row.cells[0].count, (Count{.planned = 6, .present = 2, .failed = 1, .diverged = 2, .missing = 1}));
  EXPECT_EQ(row.cells[1].count,
            (Count{.planned = 6, .present = 2, .failed = 1, .diverged = 1, .missing = 1, .not_applicable = 1}));
  EXPECT_EQ(row.cells[0].summary.mean, 2.5);
}

// A length beyond a model's limit does not count as divergence.
TEST(Collect, MetricsThatDoNotApplyToAModelAreNotApplicable) {
  ResultsBuilder results;
  for (const int seed : {1, 2}) results.finished({.scheme = "a", .seed = seed}, {{64, 2.0}, {512, "n/a"}});
  const auto table = collect(request(results));
  EXPECT_EQ(table.rows[0].cells[0].count, (Count{.planned = 2, .present = 2}));
  EXPECT_EQ(table.rows[0].cells[1].count, (Count{.planned = 2, .not_applicable = 2}));
}

TEST(Collect, ATrainedRunWhoseEvaluationFailed) {
  ResultsBuilder results;
  results.finished({.scheme = "a", .seed = 1}, {{64, 2.0}});
  results.failed({.scheme = "a", .seed = 2}, "plugin");
  results.train({.scheme = "a", .seed = 2});
  const auto table = collect(request(results, {"lm.bits_per_byte", "train.loss"}));
  EXPECT_EQ(table.rows[0].cells[0].count, (Count{.planned = 2, .present = 1, .failed = 1}));
  EXPECT_EQ(table.rows[0].cells[1].count, (Count{.planned = 2, .present = 2}));
}

TEST(Collect, ColumnsByDefaultAndByName) {
  ResultsBuilder results;
  results.finished({.scheme = "a"}, {{64, 2.0}, {512, 3.0}});
  EXPECT_THAT(
      column_names(collect(request(results))),
      ElementsAre("lm.bits_per_byte@length=64", "lm.bits_per_byte@length=512", "train.parameters", "train.tokens",
                  "train.flops", "train.seconds", "train.tokens_per_second", "train.peak_memory"));
  // A requested metric comes first and only once; without coordinates the name means all of them.
  EXPECT_THAT(column_names(collect(request(results, {"train.tokens_per_second", "lm.bits_per_byte"}))),
              ElementsAre("train.tokens_per_second", "lm.bits_per_byte@length=64", "lm.bits_per_byte@length=512",
                          "train.parameters", "train.tokens", "train.flops", "train.seconds", "train.peak_memory"));
}

TEST(Collect, AtMostADozenMetricsByDefault) {
  ResultsBuilder results;
  std::map<int, nlohmann::json> many;
  for (int length = 1; length <= 20; ++length) many[length] = 1.0;
  results.finished({.scheme = "a"}, many);
  EXPECT_EQ(collect(request(results)).columns.size(), 12u + 6u);
}

TEST(Collect, AnUnknownMetricNamesTheNearest) {
  ResultsBuilder results;
  results.finished({.scheme = "a"}, {{64, 2.0}});
  EXPECT_THAT(message<UserError>(request(results, {"lm.bits_per_bite@length=64"})),
              AllOf(HasSubstr("metric 'lm.bits_per_bite@length=64' is in no record of 'quick'"),
                    HasSubstr("did you mean 'lm.bits_per_byte@length=64'?"), HasSubstr("train.loss")));
}

TEST(Collect, BeforeTheFirstRecordEverythingIsMissing) {
  ResultsBuilder results;
  results.plan({.scheme = "a", .seed = 1});
  const auto table = collect(request(results, {"lm.bits_per_byte@length=64"}));
  EXPECT_EQ(table.columns[0].name, "lm.bits_per_byte@length=64");
  EXPECT_EQ(cell_text(table.rows[0].cells[0], table.columns[0], table.rows[0].count), "0/1 (1 pending)");
}

TEST(Collect, WithoutAPlanTheFolderIsNamed) {
  const ResultsBuilder results;
  EXPECT_THAT(message<UserError>(request(results)), HasSubstr("quick: the folder has no results"));
}

TEST(Collect, NotesOfEvaluatorsArePrintedBelowTheTable) {
  ResultsBuilder results;
  const testing::BuiltRun run{.scheme = "a"};
  results.plan(run);
  results.train(run);
  results.evaluate(run, {{64, 2.0}, {2000, 3.0}, {4000, 3.0}}, {{2000, "no such window"}, {4000, "no such window"}});
  auto asked = request(results);
  asked.metrics = {"lm.bits_per_byte@length=64", "lm.bits_per_byte@length=4000"};
  EXPECT_THAT(collect(asked).notes, ::testing::Contains("lm.bits_per_byte@length=4000: no such window"));
  asked.metrics = {"lm.bits_per_byte@length=64"};
  EXPECT_THAT(collect(asked).notes, ::testing::Not(::testing::Contains(HasSubstr("no such window"))));
}

// Only the second row's evaluator had less data than requested.
TEST(Collect, ANoteOfSomeRowsNamesThem) {
  ResultsBuilder results;
  const auto add = [&](const char* scheme, int seed, const std::map<int, std::string>& notes) {
    const testing::BuiltRun run{.scheme = scheme, .seed = seed};
    results.plan(run);
    results.train(run);
    results.evaluate(run, {{64, 2.0}, {2000, 3.0}}, notes);
  };
  add("a", 1, {});
  add("b", 1, {{2000, "of 1001 tokens"}});
  add("b", 2, {{2000, "of 1001 tokens"}});
  add("c", 1, {{64, "short"}, {2000, "of 900 tokens"}});
  const auto notes = collect(request(results)).notes;
  EXPECT_THAT(notes, ::testing::Contains("lm.bits_per_byte@length=2000 of positional=b: of 1001 tokens"));
  EXPECT_THAT(notes, ::testing::Contains("lm.bits_per_byte@length=2000 of positional=c: of 900 tokens"));
  EXPECT_THAT(notes, ::testing::Contains("lm.bits_per_byte@length=64 of positional=c: short"));
}

// What a dataset read over; with its rows where not all have it.
TEST(Collect, WarningsAboutTheDataAreNoted) {
  ResultsBuilder results;
  const nlohmann::json read{{"data_warnings", {"2 x odd row (first: n.tsv:3)"}}};
  results.finished({.scheme = "a", .more_record = read}, {{64, 2.0}});
  EXPECT_THAT(collect(request(results)).notes, ::testing::Contains("data: 2 x odd row (first: n.tsv:3)"));
  results.finished({.scheme = "b"}, {{64, 2.0}});
  EXPECT_THAT(collect(request(results)).notes,
              ::testing::Contains("data of positional=a: 2 x odd row (first: n.tsv:3)"));
}

TEST(Collect, TheAuthorsNoteIsTheFirst) {
  ResultsBuilder results;
  results.finished({.scheme = "a", .seed = 1}, {{64, 2.0}});
  auto asked = request(results);
  const auto without = collect(asked).notes;
  asked.note = study::compare_settings_of({{"compare", {{"note", "Nobody measured this."}}}}, "t").note;
  auto expected = without;
  expected.insert(expected.begin(), "Nobody measured this.");
  EXPECT_EQ(collect(asked).notes, expected);
}

TEST(Collect, RefusesToMixTrainingCode) {
  ResultsBuilder results;
  results.finished({.scheme = "a", .seed = 1}, {{64, 2.0}});
  results.finished({.scheme = "a", .seed = 2, .training_code = "c0de000000000002"}, {{64, 3.0}});
  auto asked = request(results);
  EXPECT_THAT(message<MixedCode>(asked), HasSubstr("training library: c0de00000000 (1 run), c0de00000000 (1 run)"));
  asked.mixed_code = true;
  const auto table = collect(asked);
  EXPECT_EQ(table.rows[0].cells[0].count.present, 2);
  EXPECT_THAT(table.notes, ::testing::Contains(HasSubstr("mixed code: training library")));
}

TEST(Collect, RefusesToMixPluginCode) {
  ResultsBuilder results;
  results.finished({.scheme = "a", .seed = 1}, {{64, 2.0}});
  results.finished({.scheme = "a", .seed = 2, .plugin_code = "bb"}, {{64, 3.0}});
  EXPECT_THAT(message<MixedCode>(request(results)), HasSubstr("positional/a: aa (1 run), bb (1 run)"));
}

TEST(Collect, RecordsOfOtherCodeAreStale) {
  ResultsBuilder results;
  results.finished({.scheme = "a", .seed = 1}, {{64, 2.0}});
  results.finished({.scheme = "b", .seed = 1, .plugin_code = "bb"}, {{64, 3.0}});
  auto asked = request(results);
  auto table = collect(asked);
  EXPECT_EQ(count_text(table.rows[0].count), "1");
  EXPECT_EQ(count_text(table.rows[1].count), "1 (1 stale)");  // the plan's plugin is aa
  EXPECT_EQ(table.rows[1].cells[0].count.stale, 1);
  asked.current_code = "c0de000000000009";
  EXPECT_EQ(count_text(collect(asked).rows[0].count), "1 (1 stale)");
  asked.current_code = "c0de000000000001";
  EXPECT_EQ(count_text(collect(asked).rows[0].count), "1");
}

TEST(Collect, TimingsOnDifferentMachinesAreMarked) {
  ResultsBuilder results;
  results.finished({.scheme = "a", .seed = 1}, {{64, 2.0}});
  EXPECT_EQ(collect(request(results)).columns[5].title, "tokens/s");
  results.finished({.scheme = "b", .seed = 1, .host = "h2", .gpu = "GPU Y"}, {{64, 2.0}});
  const auto table = collect(request(results));
  EXPECT_EQ(table.columns[5].title, "tokens/s *");
  EXPECT_EQ(table.columns[6].title, "peak MiB");
  EXPECT_THAT(table.notes, ::testing::Contains(AllOf(
                               HasSubstr("* not comparable"),
                               HasSubstr("host h1, CPU X, cpu, mesh 2x1 threads, 1 thread per rank, 1 concurrent run; "
                                         "host h2, CPU X, GPU Y, mesh"))));
}

// The record was truncated, as by a full disk: its run is pending, and the others are shown.
TEST(Collect, ATruncatedRecordCountsAsAbsent) {
  ResultsBuilder results;
  for (int seed = 1; seed <= 3; ++seed) results.finished({.scheme = "a", .seed = seed}, {{64, 2.0}});
  const auto file = results.experiment().run("a2").train_record();
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  const auto table = collect(request(results, {"lm.bits_per_byte@length=64"}));
  EXPECT_EQ(count_text(table.rows.at(0).count), "2/3 (1 pending)");
  EXPECT_EQ(count_text(table.rows[0].cells.at(0).count), "2/3 (1 pending)");
}

// An override narrows the plan to one of the schemes; the file's baseline names another.
TEST(Collect, ABaselineValueThatNoRunHasIsNoted) {
  ResultsBuilder results;
  results.finished({.scheme = "sinusoidal"}, {{64, 2.0}});
  results.finished({.scheme = "t5"}, {{64, 2.0}});
  auto asked = request(results);
  const nlohmann::json none = {{"not", "alibi"}}, some = {"sinusoidal", "alibi"};
  for (const auto& [wanted, rows] : {std::pair{none, 2}, {some, 1}}) {
    asked.baseline = testing::baseline("positional", wanted);
    const auto table = collect(asked);
    EXPECT_THAT(table.notes,
                ::testing::Contains(HasSubstr("[compare] baseline: no run has positional = alibi; its values are ")));
    EXPECT_EQ(std::ranges::count_if(table.rows, [](const Row& row) { return row.baseline; }), rows);
  }
  asked.baseline = testing::baseline("positional", "sinusoidal");
  EXPECT_THAT(collect(asked).notes, ::testing::Not(::testing::Contains(HasSubstr("[compare] baseline"))));
}

TEST(Collect, TheBaselineIsMarkedOrExplained) {
  ResultsBuilder results;
  results.finished({.scheme = "a"}, {{64, 2.0}});
  results.finished({.scheme = "b"}, {{64, 2.0}});
  auto asked = request(results);
  asked.baseline = testing::baseline("positional", {"c", "b"});
  EXPECT_TRUE(collect(asked).rows[1].baseline);
  asked.baseline = testing::baseline("positional", {{"not", "a"}});
  const auto table = collect(asked);
  EXPECT_FALSE(table.rows[0].baseline);
  EXPECT_TRUE(table.rows[1].baseline);
  asked.baseline = testing::baseline("positional", "x");
  EXPECT_THAT(message<UserError>(asked),
              HasSubstr("baseline (positional = x) matches no row; the rows are positional=a; positional=b"));
}

// Rows of 0.1, 0.10001 and 0.3: rounded to four digits, the first two are the same number.
TEST(Collect, TheBaselineIsTheRowWithExactlyItsValue) {
  ResultsBuilder results;
  for (int seed = 1; seed <= 2; ++seed)
    for (const auto& [decay, value] : {std::pair{0.1, 2.0}, {0.10001, 2.5}, {0.3, 3.0}})
      results.finished({.scheme = "a", .seed = seed, .more_axes = {{"optimizer.weight_decay", decay}}},
                       {{64, value + 0.1 * seed}});
  auto asked = request(results);
  asked.baseline = testing::baseline("optimizer.weight_decay", 0.1);
  const auto table = collect(asked);
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_TRUE(table.rows[0].baseline);
  for (const size_t row : {1u, 2u}) {
    EXPECT_FALSE(table.rows[row].baseline);
    EXPECT_EQ(table.rows[row].compared_with, table.rows[0].label);
    ASSERT_TRUE(table.rows[row].cells[0].comparison);
    EXPECT_NEAR(table.rows[row].cells[0].comparison->difference.test.difference, row == 1 ? 0.5 : 1.0, 1e-12);
  }
}

}  // namespace
}  // namespace assay::compare
