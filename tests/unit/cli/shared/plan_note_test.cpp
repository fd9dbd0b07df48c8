// Results belong to the plan in force. Where the current experiment file means other runs than that plan, every verb
// that reads results says which plan its numbers belong to.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "record/plan_line/plan_lines.h"
#include "unit/cli/run_program.h"

namespace assay::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::RunProgram;

class PlanNote : public RunProgram {
 protected:
  PlanNote() {
    append(
        "metrics = ['lm.bits_per_byte@length=64']\n[[claim]]\nsays = 'x'\nmetric = 'lm.bits_per_byte@length=64'\n"
        "left = { positional = 'alibi' }\nright = { positional = 'sinusoidal' }\nholds = 'left < right'\n");
    EXPECT_EQ(call("run experiments/quick.toml"), 0) << err_;
  }
  void append(const std::string& text) {
    folder_.write("experiments/quick.toml", base::read_file(folder_ / "experiments/quick.toml") + text);
  }
  void replace(const std::string& what, const std::string& by) {
    auto text = base::read_file(folder_ / "experiments/quick.toml");
    ASSERT_NE(text.find(what), std::string::npos);
    folder_.write("experiments/quick.toml", text.replace(text.find(what), what.size(), by));
  }
  std::string plan() { return "plan " + base::sha256_of_file(results().plan()).substr(0, 12); }
  std::string made() { return nlohmann::json::parse(base::read_file(results().source())).at("made"); }
  // The start of the note.
  std::string of_plan(const std::string& words) {
    return "note: the results of quick belong to " + plan() + ", made from " + words + " on " + made() + "; ";
  }
};

TEST_F(PlanNote, EveryVerbThatReadsResultsNamesThePlan) {
  const auto id = record::read_plan_lines(results().plan())[0].train_id;
  const std::vector<std::string> verbs{"status experiments/quick.toml",
                                       "status quick",
                                       "status",
                                       "ls",
                                       "compare experiments/quick.toml",
                                       "compare quick",
                                       "claims experiments/quick.toml",
                                       "report quick",
                                       "gate experiments/quick.toml --baseline gate.json --update",
                                       "gc quick",
                                       "export experiments/quick.toml --to csv",
                                       "export " + id + " --to csv",
                                       "logs " + id,
                                       "diff " + id + " " + id,
                                       "recheck experiments/quick.toml"};
  for (const auto& words : verbs) {
    call(words);
    EXPECT_THAT(err_, Not(HasSubstr("note:"))) << words;
  }
  replace("lr = 1e-3", "lr = 2e-3");
  for (const auto& words : verbs) {
    call(words);
    EXPECT_THAT(err_, HasSubstr(of_plan("experiments/quick.toml") +
                                "experiments/quick.toml now plans other runs (4 of its 4 runs are not in that plan); "
                                "'assay run experiments/quick.toml' runs them\n"))
        << words;
    EXPECT_EQ(err_.find("note:"), err_.rfind("note:")) << words;
  }
  EXPECT_EQ(call("run experiments/quick.toml"), 0) << err_;
  for (const auto& words : verbs) {
    if (words.find(id) != std::string::npos) continue;  // that run is no longer planned
    call(words);
    EXPECT_THAT(err_, Not(HasSubstr("note:"))) << words;
  }
}

TEST_F(PlanNote, ReportsHowThePlansDiffer) {
  replace("seeds = [1, 2]", "seeds = [1]");
  call("status quick");
  EXPECT_THAT(err_, HasSubstr("(2 of that plan's 4 runs are not among its runs)"));
  replace("seeds = [1]", "seeds = [1, 2]");
  replace("lengths = [64]", "lengths = [64, 128]");
  call("status quick");
  EXPECT_THAT(err_, HasSubstr("(its labels or evaluations differ)"));
  replace("[data]", "[dta]");
  call("status quick");
  EXPECT_THAT(
      err_,
      HasSubstr("experiments/quick.toml cannot be planned now; 'assay plan experiments/quick.toml' reports why\n"));
}

TEST_F(PlanNote, ChangesThatDoNotAffectResultsAreNotNoted) {
  append("# a comment\n");
  replace("baseline = { positional = \"sinusoidal\" }", "baseline = { positional = \"alibi\" }");
  append("[log]\nevery = 3\n");
  call("compare experiments/quick.toml");
  EXPECT_EQ(err_, "");
}

// The data is part of the meaning of a file.
TEST_F(PlanNote, ChangedDataIsAnotherPlan) {
  folder_.write("corpus.txt", "same size\n");
  call("status quick");
  EXPECT_THAT(err_, HasSubstr("(4 of its 4 runs are not in that plan)"));
  folder_.write("corpus.txt", "some text\n");  // the old content with a new time
  call("status quick");
  EXPECT_EQ(err_, "");
}

TEST_F(PlanNote, OfTwoFilesWithTheSameNameTheOtherIsNoted) {
  folder_.write("experiments/b.toml",
                "extends = ['quick.toml']\n[experiment]\nname = 'quick'\n[optimizer]\nlr = 2e-3\n");
  ASSERT_EQ(call("run experiments/b.toml"), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("note: experiments/quick.toml and experiments/b.toml both have the name 'quick', "
                              "so their plans replace each other; give one of them another [experiment] name\n"));
  call("compare experiments/quick.toml");
  EXPECT_THAT(err_, HasSubstr(of_plan("experiments/b.toml") + "experiments/quick.toml now plans other runs"));
  for (const char* words : {"compare experiments/b.toml", "compare quick"}) {
    call(words);
    EXPECT_EQ(err_, "") << words;
  }
}

// Selected by its results, an experiment is what its command asked for; the file alone may mean something else.
TEST_F(PlanNote, OverridesOfTheCommandLineBelongToThePlan) {
  ASSERT_EQ(call("run experiments/quick.toml optimizer.lr=2e-3 data.dataset.path=corpus.txt"), 0) << err_;
  call("status quick");
  EXPECT_EQ(err_, "");
  call("status experiments/quick.toml");
  EXPECT_THAT(err_, HasSubstr(of_plan("experiments/quick.toml optimizer.lr=2e-3 data.dataset.path=corpus.txt") +
                              "experiments/quick.toml now plans other runs"));
  append("# a comment\n");  // so that it is planned again
  const auto inside = command_of("status quick", "out", "err");
  folder_.write("err", "");
  ASSERT_EQ(std::system(("mkdir -p '" + (folder_ / "experiments/x").string() + "'").c_str()), 0);
  auto from_elsewhere = inside;
  from_elsewhere.replace(from_elsewhere.find("' && "), 5, "/experiments/x' && ");
  from_elsewhere.replace(from_elsewhere.find(" bin/assay"), 10, " ../../bin/assay");
  ASSERT_EQ(std::system(from_elsewhere.c_str()), 0);
  EXPECT_EQ(base::read_file(folder_ / "experiments/x/err"),
            "");  // corpus.txt is again what it was at the run
  replace("width = 8", "width = 16");
  call("status quick");
  EXPECT_THAT(
      err_, HasSubstr("'assay run experiments/quick.toml optimizer.lr=2e-3 data.dataset.path=corpus.txt' runs them\n"));
  ASSERT_EQ(std::system(from_elsewhere.c_str()), 0);
  EXPECT_THAT(base::read_file(folder_ / "experiments/x/err"),
              HasSubstr("' (in " + folder_.path().string() + ") runs them\n"));
  ASSERT_EQ(call("run experiments/quick.toml log.every=2"), 0) << err_;
  call("status experiments/quick.toml");
  EXPECT_EQ(err_, "");  // it does not affect results
}

// The results folder was made by an earlier version, or its experiment file has moved.
TEST_F(PlanNote, WhereTheRequestIsUnknown) {
  std::filesystem::remove(results().source());
  call("status quick");
  EXPECT_EQ(err_, "");
  call("status experiments/quick.toml");
  EXPECT_EQ(err_, "");
  replace("lr = 1e-3", "lr = 2e-3");
  call("status experiments/quick.toml");
  EXPECT_THAT(err_, HasSubstr("note: the results of quick belong to " + plan() + "; experiments/quick.toml now"));
  ASSERT_EQ(call("run experiments/quick.toml"), 0);
  std::filesystem::remove(folder_ / "experiments/quick.toml");
  call("status quick");
  EXPECT_THAT(err_, HasSubstr("; that file no longer exists\n"));
}

}  // namespace
}  // namespace assay::cli
