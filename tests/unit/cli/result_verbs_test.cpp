// assay compare and assay status on results folders made for the purpose.
#include <gmock/gmock.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cli/cli.h"
#include "record/files.h"
#include "record/lock.h"
#include "unit/compare/results_builder.h"

namespace assay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ResultVerbs : public ::testing::Test {
 protected:
  ResultVerbs() { ::setenv("ASSAY_RESULTS", results_.experiment().folder().parent_path().c_str(), 1); }
  ~ResultVerbs() override { ::unsetenv("ASSAY_RESULTS"); }

  // The exit code of `assay words...`; standard output and error are then in out_ and err_.
  int call(const std::vector<std::string>& words) {
    std::vector<const char*> argv{"assay"};
    for (const auto& word : words) argv.push_back(word.c_str());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = cli::main(static_cast<int>(argv.size()), argv.data());
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
  // The [compare] section is that of the file as it is now, its extends included.
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

TEST_F(ResultVerbs, CompareByNameKnowsTheSettingsOfTheRun) {
  results_.finished({.scheme = "alibi"}, {{64, 2.0}, {512, 3.0}});
  write_atomically(results_.experiment().compare(), R"({"metrics":["train.loss"],"baseline":{"positional":"alibi"}})");
  EXPECT_EQ(call({"compare", "quick", "--format", "csv"}), 0);
  EXPECT_THAT(out_,
              AllOf(HasSubstr("stale,train.loss,train.loss half_width"), HasSubstr("\npositional=alibi,alibi,1,")));
  EXPECT_EQ(call({"compare", "quick", "--format", "md", "--metric", "lm.bits_per_byte"}), 0);
  EXPECT_THAT(out_, HasSubstr("| run | lm.bits_per_byte@length=64 | lm.bits_per_byte@length=512 | parameters |"));
}

TEST_F(ResultVerbs, ReferenceHoldsItsCommandAndMachine) {
  results_.finished({.scheme = "alibi"}, {{64, 2.0}});
  EXPECT_EQ(call({"compare", "quick", "--reference"}), 0);
  const auto markdown = read_file(results_.experiment().reference() / "table.md");
  EXPECT_THAT(markdown, AllOf(HasSubstr("- machine: host h1, CPU X, 2 cores\n"),
                              HasSubstr("- command: `assay compare quick --reference`\n")));
  const auto csv = read_file(results_.experiment().reference() / "table.csv");
  EXPECT_THAT(csv, HasSubstr("# command: assay compare quick --reference\n"));
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
  EXPECT_EQ(err_, "--format xml: there are text, md, csv and json\n");
  EXPECT_EQ(call({"compare", "quik"}), 2);
  EXPECT_THAT(err_, HasSubstr("no results of an experiment 'quik'"));
  EXPECT_THAT(err_, HasSubstr("did you mean 'quick'?"));
  EXPECT_EQ(call({"compare", "nowhere.toml"}), 2);
  EXPECT_EQ(err_, "nowhere.toml: no such file\n");
}

TEST_F(ResultVerbs, StatusCountsAndExplains) {
  results_.finished({.scheme = "a", .seed = 1}, {{64, 2.0}});
  results_.failed({.scheme = "a", .seed = 2}, "plugin");
  results_.plan({.scheme = "a", .seed = 3});
  results_.plan({.scheme = "a", .seed = 4});
  const testing::BuiltRun fourth{.scheme = "a", .seed = 4};
  const auto run = results_.experiment().run(fourth.id());
  std::filesystem::create_directories(run.folder());
  const auto lock = FileLock::lock(run.lock());
  EXPECT_EQ(call({"status", "quick"}), 0);
  const auto log = results_.experiment().run("a2").log().string();
  const auto expected =
      "quick: 1 done, 1 running, 1 failed, 1 queued\n  failed  positional=a seed=2: it broke\n          log: " + log +
      "\n          run: a2\n";
  EXPECT_EQ(out_, expected);
  EXPECT_EQ(call({"status"}), 0);
  EXPECT_EQ(out_, expected);
  EXPECT_EQ(call({"status", "a", "b"}), 2);
}

}  // namespace
}  // namespace assay
