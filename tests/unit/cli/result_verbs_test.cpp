// assay compare and assay status on results folders made by the tests.
#include <gmock/gmock.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/lock.h"
#include "cli/shared/cli.h"
#include "cli/shared/comparison.h"
#include "record/events.h"
#include "study/compare_settings.h"
#include "unit/compare/results_builder.h"

namespace assay::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ResultVerbs : public ::testing::Test {
 protected:
  ResultVerbs() { ::setenv("ASSAY_RESULTS", results_.experiment().folder().parent_path().c_str(), 1); }
  ~ResultVerbs() override { ::unsetenv("ASSAY_RESULTS"); }

  // Returns the exit code of `assay words...`; standard output and error are then in out_ and err_.
  int call(const std::vector<std::string>& words) {
    std::vector<const char*> argv{"assay"};
    for (const auto& word : words) argv.push_back(word.c_str());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = main(static_cast<int>(argv.size()), argv.data());
    out_ = ::testing::internal::GetCapturedStdout();
    err_ = ::testing::internal::GetCapturedStderr();
    return code;
  }
  testing::ResultsBuilder results_;
  std::string out_, err_;
};

TEST_F(ResultVerbs, CompareByNameAndByFile) {
  results_.finished({.scheme = "alibi"}, {{64, 2.0}, {512, 3.0}});
  results_.finished({.scheme = "none"}, {{64, 2.5}, {512, 9.0}});
  EXPECT_EQ(call({"compare", "quick"}), 0);
  EXPECT_THAT(out_, AllOf(HasSubstr("lm.bits_per_byte@length=64"), HasSubstr("command: assay compare quick\n")));
  EXPECT_EQ(err_, "");
  // The [compare] section is read from the current file, including the files that it extends.
  const testing::TemporaryFolder folder;
  folder.write("base.toml", "[compare]\nbaseline = { positional = \"alibi\" }\n");
  const auto file =
      folder.write("quick.toml", "extends = [\"base.toml\"]\n[compare]\nmetrics = [\"lm.bits_per_byte@length=512\"]\n");
  EXPECT_EQ(call({"compare", file.string(), "--format", "json"}), 0);
  const auto json = nlohmann::json::parse(out_);
  EXPECT_EQ(json["columns"][0]["name"], "lm.bits_per_byte@length=512");
  EXPECT_EQ(json["columns"][1]["name"], "train.parameters");
  EXPECT_EQ(json["rows"][0]["baseline"], true);
  EXPECT_EQ(json["rows"][1]["baseline"], false);
}

TEST_F(ResultVerbs, CompareByNameUsesTheSettingsOfTheRun) {
  results_.finished({.scheme = "alibi"}, {{64, 2.0}, {512, 3.0}});
  base::write_atomically(results_.experiment().compare(),
                         R"({"stated":{},"compare":{"metrics":["train.loss"],"baseline":{"positional":"alibi"}}})");
  EXPECT_EQ(call({"compare", "quick", "--format", "csv"}), 0);
  EXPECT_THAT(out_,
              AllOf(HasSubstr("stale,train.loss,train.loss half_width"), HasSubstr("\npositional=alibi,alibi,1,")));
  EXPECT_EQ(call({"compare", "quick", "--format", "md", "--metric", "lm.bits_per_byte"}), 0);
  EXPECT_THAT(out_, HasSubstr("| run | lm.bits_per_byte@length=64 | lm.bits_per_byte@length=512 | parameters |"));
}

TEST_F(ResultVerbs, ReferenceContainsItsCommandAndMachine) {
  results_.finished({.scheme = "alibi"}, {{64, 2.0}});
  EXPECT_EQ(call({"compare", "quick", "--reference"}), 0);
  const auto markdown = base::read_file(results_.experiment().reference() / "table.md");
  EXPECT_THAT(markdown, AllOf(HasSubstr("- machine: host h1, CPU X, 2 cores\n"),
                              HasSubstr("- command: `assay compare quick --reference`\n")));
  const auto csv = base::read_file(results_.experiment().reference() / "table.csv");
  EXPECT_THAT(csv, HasSubstr(",assay compare quick --reference\n"));
  EXPECT_EQ(call({"compare", "quick", "--reference", "--format", "latex"}), 0);
  EXPECT_THAT(out_, HasSubstr("\\begin{tabular}"));
  EXPECT_EQ(base::read_file(results_.experiment().reference() / "table.tex"), out_);
}

TEST_F(ResultVerbs, CompareExitCodesAndMessages) {
  results_.finished({.scheme = "a", .seed = 1}, {{64, 2.0}});
  results_.finished({.scheme = "a", .seed = 2, .training_code = "other"}, {{64, 3.0}});
  EXPECT_EQ(call({"compare", "quick"}), 5);
  EXPECT_THAT(err_, HasSubstr("--mixed-code"));
  EXPECT_EQ(out_, "");
  EXPECT_EQ(call({"compare", "quick", "--mixed-code"}), 0);
  EXPECT_EQ(call({"compare"}), 2);
  EXPECT_EQ(call({"compare", "quick", "--formt", "csv"}), 2);
  EXPECT_THAT(err_, AllOf(HasSubstr("--formt"), HasSubstr("see assay compare --help")));
  EXPECT_EQ(call({"compare", "quick", "--format", "xml"}), 2);
  EXPECT_EQ(err_, "--format: 'xml' is not a valid format; give text, md, csv, json or latex\n");
  EXPECT_EQ(call({"compare", "quik"}), 2);
  EXPECT_THAT(err_, HasSubstr("no results of an experiment 'quik'"));
  EXPECT_THAT(err_, HasSubstr("did you mean 'quick'?"));
  EXPECT_EQ(call({"compare", "nowhere.toml"}), 2);
  EXPECT_EQ(err_, "nowhere.toml: there is no such file\n");
}

// Six seeds per row: alibi is lower by about 0.5.
void two_rows(testing::ResultsBuilder& results) {
  const std::vector<double> noise{0.00, 0.02, -0.02, 0.01, -0.01, 0.00};
  for (int seed = 1; seed <= 6; ++seed) {
    results.finished({.scheme = "alibi", .seed = seed}, {{64, 2.0 + noise[static_cast<size_t>(seed) - 1]}});
    results.finished({.scheme = "none", .seed = seed}, {{64, 2.5}});
  }
}

nlohmann::json settings_with(const std::string& holds, int stated) {
  const nlohmann::json claims = {{{"says", "ALiBi is better."},
                                  {"metric", "lm.bits_per_byte@length=64"},
                                  {"left", {{"positional", "alibi"}}},
                                  {"right", {{"positional", "none"}}},
                                  {"holds", holds}}};
  nlohmann::json settings = {{"claim", claims}, {"stated", nlohmann::json::object()}};
  settings["stated"][study::compare_settings_of(settings, "t").claims[0].hash] = stated;
  return settings;
}

TEST_F(ResultVerbs, ClaimsAndTheirExitCodes) {
  two_rows(results_);
  const auto claim = [&](const std::string& holds) {
    base::write_atomically(results_.experiment().compare(), settings_with(holds, 0).dump());
    return call({"claims", "quick"});
  };
  EXPECT_EQ(claim("left < right - 0.4"), 0);
  EXPECT_THAT(out_, AllOf(HasSubstr("supported  ALiBi is better.\n"),
                          HasSubstr("The claim was stated before there was any result.\n"),
                          HasSubstr("command: assay claims quick\n")));
  EXPECT_EQ(claim("left > right"), 0);  // a refuted claim is a result
  EXPECT_THAT(out_, HasSubstr("refuted    ALiBi is better.\n"));
  EXPECT_EQ(claim("left < right - 0.5"), 4);
  EXPECT_EQ(call({"claims", "quick", "--format", "json"}), 4);
  EXPECT_EQ(nlohmann::json::parse(out_)["claims"][0]["verdict"], "undecided");
  EXPECT_EQ(call({"claims", "quick", "--format", "csv"}), 2);
  base::write_atomically(results_.experiment().compare(), "{\"stated\":{}}");
  EXPECT_EQ(call({"claims", "quick"}), 2);
  EXPECT_EQ(err_, "assay claims: 'quick' has no [[claim]]\n");
}

TEST_F(ResultVerbs, TheReferenceContainsTheVerdicts) {
  two_rows(results_);
  base::write_atomically(results_.experiment().compare(), settings_with("left < right", 3).dump());
  EXPECT_EQ(call({"compare", "quick", "--reference"}), 0);
  EXPECT_THAT(base::read_file(results_.experiment().reference() / "claims.md"),
              AllOf(HasSubstr("\n**supported**: ALiBi is better.\n"),
                    HasSubstr("The claim was stated when there were 3 results.")));
}

TEST_F(ResultVerbs, SeveralExperimentsAndLayouts) {
  two_rows(results_);
  std::filesystem::copy(results_.experiment().folder(), results_.experiment().folder().parent_path() / "other",
                        std::filesystem::copy_options::recursive);
  const auto other = results_.experiment().folder().parent_path() / "other/plan.jsonl";
  auto lines = base::read_file(other);
  for (size_t at; (at = lines.find("\"experiment\":\"quick\"")) != std::string::npos;)
    lines.replace(at, 20, "\"experiment\":\"other\"");
  base::write_atomically(other, lines);
  EXPECT_EQ(call({"compare", "quick", "other", "--sort", "-lm.bits_per_byte@length=64"}), 0);
  EXPECT_THAT(out_, AllOf(HasSubstr("quick + other: mean"), HasSubstr("\nexperiment=other positional=alibi")));
  EXPECT_EQ(call({"compare", "quick", "quick"}), 2);
  EXPECT_EQ(call({"compare", "quick", "--pivot", "positional", "--format", "csv", "--spread", "sem"}), 0);
  EXPECT_THAT(out_, HasSubstr("lm.bits_per_byte@length=64 positional=none sem"));
  EXPECT_EQ(call({"compare", "quick", "--format", "latex"}), 0);
  EXPECT_THAT(out_, HasSubstr("\\textbf{2.000 $\\pm$ 0.015}"));
  EXPECT_EQ(call({"compare", "quick", "--spread", "range"}), 2);
  EXPECT_EQ(call({"compare", "quick", "quick", "--reference"}), 2);
}

TEST_F(ResultVerbs, GateAndItsExitCodes) {
  two_rows(results_);
  const testing::TemporaryFolder folder;
  const auto file = (folder / "gate.json").string();
  EXPECT_EQ(call({"gate", "quick", "--baseline", file}), 2);
  EXPECT_EQ(call({"gate", "quick", "--baseline", file, "--update", "--tolerance", "0.1"}), 0);
  EXPECT_EQ(call({"gate", "quick", "--baseline", file}), 0);
  EXPECT_THAT(out_, HasSubstr("no seed is worse"));
  auto kept = nlohmann::json::parse(base::read_file(file));
  for (auto& [seed, value] : kept["rows"][0]["metrics"]["lm.bits_per_byte@length=64"]["values"].items()) value = 1.5;
  base::write_atomically(file, kept.dump());
  EXPECT_EQ(call({"gate", "quick", "--baseline", file}), 3);
  EXPECT_THAT(out_, HasSubstr("worse by more than the tolerance"));
  EXPECT_EQ(call({"gate", "quick", "--baseline", file, "--tolerance", "lm.bits_per_byte=0.5"}), 4);
  EXPECT_EQ(call({"gate", "quick", "--baseline", file, "--tolerance", "lm.bits_per_byte=0.6"}), 0);
  EXPECT_EQ(call({"gate", "quick", "--baseline", file, "--tolerance", "lm.bits_per_bite=0.6"}), 2);
  EXPECT_THAT(err_, HasSubstr("no tested metric has this name; did you mean 'lm.bits_per_byte'?"));
  EXPECT_EQ(call({"gate", "quick", "--baseline", file, "--update"}), 0);  // keeps the tolerance of the file
  EXPECT_EQ(nlohmann::json::parse(base::read_file(file))["tolerance"][""], "0.1");
}

// The baseline has three seeds of one row. Then three more seeds of it diverge, and a new row has no baseline values.
TEST_F(ResultVerbs, GateReportsRunsWithoutValuesAndNewRows) {
  const testing::TemporaryFolder folder;
  const auto file = (folder / "gate.json").string();
  results_.plan({.scheme = "alibi", .seed = 1});
  EXPECT_EQ(call({"gate", "quick", "--baseline", file, "--update"}), 2);
  EXPECT_THAT(err_,
              HasSubstr("the file is not written because no run of 'quick' has a value; run the experiment first"));
  EXPECT_FALSE(std::filesystem::exists(file));
  testing::ResultsBuilder later;
  for (int seed = 1; seed <= 3; ++seed) later.finished({.scheme = "alibi", .seed = seed}, {{64, 2.0}});
  ::setenv("ASSAY_RESULTS", later.experiment().folder().parent_path().c_str(), 1);
  EXPECT_EQ(call({"gate", "quick", "--baseline", file, "--update"}), 0);
  EXPECT_EQ(err_, "wrote " + file + "\n");
  for (int seed = 4; seed <= 6; ++seed) later.failed({.scheme = "alibi", .seed = seed}, "non_finite");
  for (int seed = 1; seed <= 6; ++seed) later.failed({.scheme = "none", .seed = seed}, "bug");
  EXPECT_EQ(call({"gate", "quick", "--baseline", file}), 3);
  EXPECT_THAT(out_, AllOf(HasSubstr("3 of 6 runs diverged, 0 of them with a value in the baseline"),
                          HasSubstr("\npositional=none: new, not in the baseline; runs 0/6 (6 failed)\n")));
  EXPECT_EQ(call({"gate", "quick", "--baseline", file, "--update"}), 0);
  EXPECT_EQ(err_, "wrote " + file +
                      "\npositional=alibi: partly in the baseline: 3 of 6 runs have a value (3 diverged)\n"
                      "positional=none: not in the baseline: 0 of 6 runs have a value (6 failed)\n");
  EXPECT_EQ(call({"gate", "quick", "--baseline", file}), 0);  // no worse than the baseline
  later.failed({.scheme = "alibi", .seed = 7}, "bug");
  EXPECT_EQ(call({"gate", "quick", "--baseline", file}), 4);
  EXPECT_THAT(out_, HasSubstr("3 of 7 runs have a value: 1 failed, 3 diverged"));
}

// The plan in force has the build id of the record; the plugin's file has been rebuilt.
TEST_F(ResultVerbs, ARebuiltPluginMakesRecordsStale) {
  results_.finished({.scheme = "a", .training_code = current_training_code()}, {{64, 2.0}});
  EXPECT_EQ(call({"status", "quick"}), 0);
  EXPECT_EQ(out_, "quick: 1 done, 0 running, 0 failed, 0 queued\n");
  auto plan = base::read_file(results_.experiment().plan());
  const std::string none = "\"file\":\"\"";
  plan.replace(plan.find(none), none.size(),
               "\"file\":\"" + std::filesystem::read_symlink("/proc/self/exe").string() + "\"");
  base::write_atomically(results_.experiment().plan(), plan);
  EXPECT_EQ(call({"status", "quick"}), 0);
  EXPECT_EQ(out_, "quick: 1 done, 0 running, 0 failed, 0 queued, 1 stale\n");
  EXPECT_EQ(call({"ls"}), 0);
  EXPECT_THAT(out_, HasSubstr("quick          1     1      1 "));
  EXPECT_EQ(call({"compare", "quick"}), 0);
  EXPECT_THAT(out_, HasSubstr("1 (1 stale)"));
}

TEST_F(ResultVerbs, DiffOfTwoRuns) {
  results_.finished({.scheme = "a", .seed = 1}, {{64, 2.0}});
  results_.finished({.scheme = "a", .seed = 2}, {{64, 2.02}});
  EXPECT_EQ(call({"diff", "a1", "a2"}), 0);
  EXPECT_THAT(out_, AllOf(HasSubstr("metrics\n"), HasSubstr("lm.bits_per_byte@length=64  2.0  2.02  +0.02")));
  EXPECT_EQ(call({"diff", "a1", "a1"}), 0);
  EXPECT_EQ(out_, "the runs do not differ\n");
  EXPECT_EQ(call({"diff", "a1"}), 2);
  EXPECT_EQ(call({"diff", "a1", "b"}), 2);
}

TEST_F(ResultVerbs, StatusCountsAndExplains) {
  const auto code = current_training_code();
  results_.finished({.scheme = "a", .seed = 1, .training_code = code}, {{64, 2.0}});
  results_.finished({.scheme = "a", .seed = 5, .training_code = code, .plugin_code = "bb"}, {{64, 2.0}});
  results_.failed({.scheme = "a", .seed = 2}, "plugin");
  base::write_atomically(results_.experiment().run("a2").log(), "it broke\n");
  results_.plan({.scheme = "a", .seed = 3});
  results_.plan({.scheme = "a", .seed = 4});
  const testing::BuiltRun fourth{.scheme = "a", .seed = 4};
  const auto run = results_.experiment().run(fourth.id());
  std::filesystem::create_directories(run.folder());
  const auto lock = base::FileLock::lock(run.lock());
  record::EventWriter events(run.events(), 1);
  events.write("start", {{"steps", 40}});
  events.write("step", {{"step", 2}, {"loss", 2.5}, {"measured", {{"tokens_per_second", 1500}}}});
  EXPECT_EQ(call({"status", "quick"}), 0);
  const auto log = results_.experiment().run("a2").log().string();
  const auto expected =
      "quick: 2 done, 1 running, 1 failed, 1 queued, 1 stale\n"
      "  failed  positional=a seed=2: it broke (plugin)\n          log: " +
      log + "\n          run: a2\n  running  positional=a seed=4  2/40  loss 2.5000  1.5k tokens/s\n";
  EXPECT_EQ(out_, expected);
  EXPECT_EQ(call({"status"}), 0);
  EXPECT_EQ(out_, expected);
  EXPECT_EQ(call({"status", "a", "b"}), 2);
  EXPECT_EQ(call({"ls"}), 0);
  EXPECT_EQ(
      out_,
      "experiment  runs  done  stale  running  failed  other\nquick          5     2      1        1       1      1\n");
}

TEST_F(ResultVerbs, StatusReportsRunsThatSkippedSteps) {
  const auto code = current_training_code();
  results_.finished({.scheme = "a", .seed = 1, .training_code = code, .steps = 6}, {{64, 2.0}});
  results_.finished({.scheme = "a", .seed = 2, .training_code = code, .steps = 6, .skipped_steps = 5}, {{64, 2.0}});
  EXPECT_EQ(call({"status", "quick"}), 0);
  EXPECT_EQ(out_,
            "quick: 2 done (1 with skipped steps), 0 running, 0 failed, 0 queued\n"
            "  done  positional=a seed=2: 5 of 6 steps skipped\n");
}

}  // namespace
}  // namespace assay::cli
