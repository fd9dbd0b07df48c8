// The program from TOML to table, with a worker that computes nothing.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/lock.h"
#include "record/controllers.h"
#include "record/plan_line/plan_lines.h"
#include "unit/cli/run_program.h"

namespace assay::cli {
namespace {

using testing::RunProgram;
namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RunProgram;

TEST_F(RunProgram, RunsThenSkipsThenCompares) {
  EXPECT_EQ(call("run experiments/quick.toml --dry-run"), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("would run  positional=alibi seed=2"));
  EXPECT_FALSE(fs::exists(results().folder()));

  EXPECT_EQ(call("run experiments/quick.toml --jobs 2"), 0) << err_;
  EXPECT_EQ(out_, "");
  EXPECT_THAT(err_, AllOf(HasSubstr("Running 4 of 4 runs, at most 2 at once."), HasSubstr("4 done. Records: "),
                          HasSubstr("To show the table: assay compare experiments/quick.toml")));
  const auto lines = record::read_plan_lines(results().plan());
  ASSERT_EQ(lines.size(), 4u);
  for (const auto& line : lines) EXPECT_TRUE(record::has_all_records(line, results().run(line.train_id)));

  EXPECT_EQ(call("run experiments/quick.toml"), 0);  // another library than the fixture's made these records
  EXPECT_THAT(err_, AllOf(HasSubstr("0 done, 4 already complete"),
                          HasSubstr("4 of 4 done runs are stale (other code: training library) and are not run again: "
                                    "'assay recheck experiments/quick.toml' replays their first steps; ")));

  EXPECT_EQ(call("compare quick"), 0) << err_;
  EXPECT_THAT(out_, AllOf(HasSubstr("positional=sinusoidal (baseline)"), HasSubstr("1.5 ± 6.4")));  // 12.706 / 2
  EXPECT_EQ(err_, "");
  EXPECT_EQ(call("status"), 0);
  EXPECT_EQ(out_, "quick: 4 done, 0 running, 0 failed, 0 queued\n");
}

TEST_F(RunProgram, RunsOfAnotherBuildAreReported) {
  ASSERT_EQ(call("run experiments/quick.toml"), 0) << err_;
  fs::create_symlink("libassay_lab.so", folder_ / "lib/libassay_run.so");  // its build id is in no record
  EXPECT_EQ(call("status"), 0);
  EXPECT_EQ(out_, "quick: 4 done, 0 running, 0 failed, 0 queued, 4 stale\n");
  EXPECT_EQ(call("ls"), 0);
  EXPECT_EQ(
      out_,
      "experiment  runs  done  stale  running  failed  other\nquick          4     4      4        0       0      0\n");
}

TEST_F(RunProgram, OneMoreEvaluationCostsOneEvaluation) {
  ASSERT_EQ(call("run experiments/quick.toml"), 0) << err_;
  const auto lines = record::read_plan_lines(results().plan());
  const auto missing = results().run(lines[2].train_id);
  fs::remove(missing.eval_record(lines[2].evaluate[0].id));
  EXPECT_EQ(call("run experiments/quick.toml"), 0);
  EXPECT_THAT(err_, HasSubstr("Running 1 of 4 runs"));
  EXPECT_EQ(base::read_file(missing.folder() / "times.txt"), "1\n1\n");
  EXPECT_EQ(base::read_file(results().run(lines[3].train_id).folder() / "times.txt"), "2\n");
}

TEST_F(RunProgram, AFailedRunIsReportedAndTheOthersContinue) {
  EXPECT_EQ(call("run experiments/quick.toml experiment.seeds=[1,13]"), 1) << err_;
  EXPECT_THAT(err_, AllOf(HasSubstr("FAILED positional=alibi seed=13: seed 13"), HasSubstr("2 done, 2 failed"),
                          Not(HasSubstr("To show the table:"))));
  EXPECT_EQ(call("status quick"), 0);
  EXPECT_THAT(out_, AllOf(HasSubstr("quick: 2 done, 0 running, 2 failed, 0 queued"),
                          HasSubstr("failed  positional=alibi seed=13: seed 13")));
  EXPECT_EQ(call("compare experiments/quick.toml"), 0);
  EXPECT_THAT(out_, HasSubstr("1/2 (1 failed)"));
}

// A run's metric is its seed, so the mean of n seeds is (n + 1) / 2.
TEST_F(RunProgram, SeedsAreAddedUntilTheClaimsAreDecided) {
  const auto study = [&](const std::string& bound, const std::string& name) {
    folder_.write("experiments/" + name + ".toml", "extends = [\"quick.toml\"]\n[experiment]\nname = \"" + name + R"("
[[claim]]
says = "It is large."
metric = "lm.bits_per_byte@length=64"
left = { positional = "alibi" }
holds = "left > )" + bound + "\"\n");
    return "run experiments/" + name + ".toml --until-decided ";
  };
  const auto decided = study("2", "decided"), open = study("6.5", "open");
  ASSERT_EQ(call(decided + "12"), 0) << err_;
  EXPECT_THAT(
      err_,
      AllOf(HasSubstr("Running 12 of 12 runs"), HasSubstr("Running 6 of 18 runs"),
            HasSubstr("Interim analysis 1 of this study, at 6 seeds and level 0.0056: 0 of 1 claims are decided."),
            HasSubstr("Interim analysis 2 of this study, at 9 seeds and level 0.018: 1 of 1 claims are decided.")));
  EXPECT_THAT(out_, AllOf(HasSubstr("supported"), HasSubstr("It is large.")));
  ASSERT_EQ(call("claims decided"), 0) << err_;
  ASSERT_EQ(call(decided + "12"), 0) << err_;  // no seed is removed
  EXPECT_THAT(err_,
              AllOf(HasSubstr("0 done, 18 already complete"), HasSubstr("Interim analysis 2 of this study, at 9")));
  EXPECT_EQ(record::read_plan_lines(record::ExperimentLayout(folder_ / "results/decided").plan()).size(), 18u);
  ASSERT_EQ(call("run experiments/decided.toml"), 0) << err_;  // nor by a plain run
  EXPECT_EQ(record::read_plan_lines(record::ExperimentLayout(folder_ / "results/decided").plan()).size(), 18u);
  ASSERT_EQ(call("run experiments/decided.toml experiment.seeds=[1,2]"), 0) << err_;
  EXPECT_EQ(record::read_plan_lines(record::ExperimentLayout(folder_ / "results/decided").plan()).size(), 4u);
  EXPECT_EQ(call(decided + "24"), 2);
  EXPECT_THAT(err_, HasSubstr("continue with --until-decided 12"));

  EXPECT_EQ(call(open + "12"), 4);
  EXPECT_THAT(err_,
              HasSubstr("Interim analysis 3 of this study, at 12 seeds and level 0.026: 0 of 1 claims are decided."));
  EXPECT_THAT(out_, HasSubstr("undecided"));
  EXPECT_EQ(call(open + "5"), 2);
  EXPECT_EQ(call("run experiments/quick.toml --until-decided 12"), 2);
  EXPECT_THAT(err_, HasSubstr("experiments/quick.toml has no [[claim]]"));
}

// A run that diverges keeps claims open, but does not prevent interim analyses.
TEST_F(RunProgram, AStudyWithADivergedRunIsAnalysed) {
  const std::string claim = R"([[claim]]
says = "It is large."
metric = "lm.bits_per_byte@length=64"
left = { positional = "alibi" }
holds = "left > 2"
)";
  folder_.write("experiments/hard.toml",
                "extends = [\"quick.toml\"]\n[experiment]\nseeds = [1, 2, 3, 4, 5, 666]\n" + claim);
  EXPECT_EQ(call("run experiments/hard.toml --until-decided 12"), 4);  // and no seed is added, for none would help
  EXPECT_THAT(err_, AllOf(HasSubstr("10 done, 2 failed"), HasSubstr("Interim analysis 1 of this study, at 6 seeds"),
                          HasSubstr("No more seeds are added, because each undecided claim has a run without a value"),
                          Not(HasSubstr("Interim analysis 2"))));
  EXPECT_THAT(out_, HasSubstr("1 run diverged, so the claim cannot be decided"));
  folder_.write("experiments/broken.toml",
                "extends = [\"quick.toml\"]\n[experiment]\nseeds = [1, 2, 3, 4, 5, 13]\n" + claim);
  EXPECT_EQ(call("run experiments/broken.toml --until-decided 6"), 1);
  EXPECT_THAT(err_, Not(HasSubstr("Interim analysis 1")));
}

// A run's metric is its seed. Six of the seven planned seeds would be enough for a verdict, but choosing six would bias
// it.
TEST_F(RunProgram, APartOfAPlanDecidesNothing) {
  folder_.write("experiments/part.toml", R"(extends = ["quick.toml"]
[experiment]
name = "part"
seeds = "1..7"
[[claim]]
says = "It is large."
metric = "lm.bits_per_byte@length=64"
left = { positional = "alibi" }
holds = "left > 0"
)");
  ASSERT_EQ(call("run experiments/part.toml --only 'positional=alibi seed=1,2,3,4,5,6'"), 0) << err_;
  EXPECT_EQ(call("claims part"), 4) << err_;
  EXPECT_THAT(out_, AllOf(HasSubstr("; 6 of 7 runs: 1 pending\n"), HasSubstr("1 run is pending")));
  // The claim is not about the other row.
  ASSERT_EQ(call("run experiments/part.toml --only positional=alibi"), 0) << err_;
  EXPECT_EQ(call("claims part"), 0) << out_;
  EXPECT_THAT(out_, HasSubstr("supported  It is large."));
}

TEST_F(RunProgram, RunsOnlyAPartOfThePlan) {
  EXPECT_EQ(call("run experiments/quick.toml --only 'positional=alibi seed=2'"), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("Running 1 of 1 runs"));
  const auto lines = record::read_plan_lines(results().plan());
  ASSERT_EQ(lines.size(), 4u);  // the plan in force is the whole plan
  for (const auto& line : lines)
    EXPECT_EQ(record::has_all_records(line, results().run(line.train_id)),
              line.label == "positional=alibi" && line.seed == 2);
  const std::string id = lines[0].train_id;
  EXPECT_EQ(call("run experiments/quick.toml --exclusive --only " + id.substr(0, 12)), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("Running 1 of 1 runs, at most 1 at once."));
  EXPECT_EQ(call("status quick"), 0);
  EXPECT_EQ(out_, "quick: 2 done, 0 running, 0 failed, 2 queued\n");
}

TEST_F(RunProgram, SmokeRunsEveryGroupOutsideOfResults) {
  for (int time = 0; time < 2; ++time) {
    EXPECT_EQ(call("run experiments/quick.toml --smoke train.steps=400"), 0) << err_;
    EXPECT_THAT(err_, HasSubstr("Running 2 of 2 runs"));
  }
  {
    const auto other = base::FileLock::lock(folder_ / "results/.smoke/quick.lock");
    EXPECT_EQ(call("run experiments/quick.toml --smoke"), 2);
    EXPECT_THAT(err_, HasSubstr("another process uses this folder"));
  }
  EXPECT_FALSE(fs::exists(results().folder()));
  const auto lines = record::read_plan_lines(folder_ / "results/.smoke/quick/plan.jsonl");
  ASSERT_EQ(lines.size(), 2u);
  for (const auto& line : lines) {
    EXPECT_EQ(line.train.train.steps, 20);
    EXPECT_EQ(line.checkpoint.every, 1);  // 5% of 20 steps
    EXPECT_EQ(line.evaluate[0].every, 0);
  }
  ASSERT_EQ(call("run experiments/quick.toml train.steps=20 experiment.seeds=[1]"), 0) << err_;
  EXPECT_EQ(record::read_plan_lines(results().plan())[0].train_id, lines[0].train_id);  // the same run
  EXPECT_EQ(call("ls"), 0);
  EXPECT_EQ(
      out_,
      "experiment  runs  done  stale  running  failed  other\nquick          2     2      0        0       0      0\n");
}

TEST_F(RunProgram, RunsOutsideOfThePlanAreOrphansUntilRemoved) {
  ASSERT_EQ(call("run experiments/quick.toml"), 0) << err_;
  const auto before = record::read_plan_lines(results().plan());
  ASSERT_EQ(call("run experiments/quick.toml optimizer.lr=1e-2"), 0) << err_;
  EXPECT_EQ(call("status"), 0);
  EXPECT_EQ(out_, "quick: 4 done, 0 running, 0 failed, 0 queued, 4 orphans\n");
  const auto lines = record::read_plan_lines(results().plan());
  const auto done = results().run(lines[0].train_id), other = results().run(lines[1].train_id);
  folder_.write(fs::relative(done.checkpoints() / "step-4/weights.safetensors", folder_.path()), "weights");
  folder_.write(fs::relative(other.folder() / "train.json.part123.1", folder_.path()), "torn");
  EXPECT_EQ(call("gc quick"), 0) << err_;
  EXPECT_THAT(out_, AllOf(HasSubstr("checkpoints of a run that is done"), HasSubstr("its write did not complete"),
                          HasSubstr("a run outside the plan, with its records"),
                          HasSubstr(" in 6 files and folders; --yes removes them.")));
  EXPECT_TRUE(fs::exists(done.checkpoints()));
  {  // another controller still uses the previous plan
    std::string text;
    for (const auto& line : before) text += line.text() + "\n";
    const record::ControllerPlan at_work(results(), text);
    EXPECT_EQ(call("gc quick"), 0) << err_;
    EXPECT_THAT(out_, AllOf(HasSubstr(" in 2 files and folders"), Not(HasSubstr("outside the plan"))));
  }
  {  // runs of another experiment start from one of them
    auto line = before[0];
    line.train.init.emplace().from = {
        {"experiment", "quick"}, {"group", before[0].group}, {"train_id", before[0].train_id}, {"path", "x"}};
    folder_.write("results/later/plan.jsonl", line.text() + "\n");
    EXPECT_EQ(call("gc quick"), 0) << err_;
    EXPECT_THAT(out_, HasSubstr(" in 5 files and folders"));
    fs::remove_all(folder_ / "results/later");
  }
  EXPECT_EQ(call("gc quick --yes"), 0) << err_;
  EXPECT_FALSE(fs::exists(done.checkpoints()));
  for (const auto& line : before) EXPECT_FALSE(fs::exists(results().run(line.train_id).folder()));
  for (const auto& line : lines) EXPECT_TRUE(record::has_all_records(line, results().run(line.train_id)));
  folder_.write("results/later/plan.jsonl", "torn");  // without orphans, other experiments' plans are not read
  EXPECT_EQ(call("gc quick"), 0) << err_;
  EXPECT_EQ(out_, "There is nothing to remove.\n");
}

TEST_F(RunProgram, LogsAreOfTheSelectedRun) {
  ASSERT_EQ(call("run experiments/quick.toml"), 0) << err_;
  const auto line = record::read_plan_lines(results().plan())[1];
  folder_.write(fs::relative(results().run(line.train_id).log(), folder_.path()), "a word of it\n");
  const auto label = line.label;
  EXPECT_EQ(call("logs '" + label + " seed=2'"), 0) << err_;
  EXPECT_EQ(out_, "a word of it\n");
  EXPECT_EQ(call("logs -f " + line.train_id.substr(0, 10)), 0) << err_;
  EXPECT_EQ(out_, "a word of it\n");
  EXPECT_EQ(call("logs seed=2"), 2);
  EXPECT_THAT(err_, AllOf(HasSubstr("'seed=2' matches 2 runs"), HasSubstr("positional=alibi seed=2 of quick")));
  EXPECT_EQ(call("logs 'positional=alibi,albi seed=2'"), 2);
  EXPECT_EQ(err_, "RUN: 'positional=alibi,albi seed=2': no run has positional = albi; did you mean 'alibi'?\n");
}

TEST_F(RunProgram, WrongInputStartsNothing) {
  const std::pair<const char*, const char*> cases[] = {
      {"run", "an experiment file is missing"},
      {"run experiments/none.toml", "none.toml"},
      {"run experiments/quick.toml --jobs 0", "--jobs must be at least 1"},
      {"run experiments/quick.toml --jobs many", "many"},
      {"run experiments/quick.toml optimizer.lrr=1", "did you mean 'lr'?"},
      {"run experiments/quick.toml --launcher pbs", "--launcher: 'pbs' is not a valid launcher; give local or slurm"},
      {"run experiments/quick.toml --launcher slurm --fail-fast", "--fail-fast requires the local launcher"},
      {"run experiments/quick.toml --only x",
       "--only: no run's id begins with 'x'; 'assay plan' lists the ids, and a selector"},
      {"run experiments/quick.toml --only positional=rotary",
       "no run has positional = rotary; its values are alibi, sinusoidal"},
      {"run experiments/quick.toml --only positional=albi,alibi",
       "--only: 'positional=albi,alibi': no run has positional = albi; did you mean 'alibi'?"},
      {"run experiments/quick.toml --only positional!=albi", "no run has positional = albi; did you mean 'alibi'?"},
      {"run experiments/quick.toml --only 'positional=alibi seed=1,9'", "no run has seed = 9; its values are 1, 2"},
      {"run experiments/quick.toml --only 0123456789", "no run's id begins with '0123456789'"},
      {"run experiments/quick.toml --timeout soon", "is not a valid duration; give a time such as 90s, 15m or 2h"},
      {"run experiments/quick.toml --exclusive --jobs 2", "--exclusive runs one at a time"},
      {"run experiments/quick.toml --retries -1", "--retries"}};
  for (const auto& [words, message] : cases) {
    EXPECT_EQ(call(words), 2) << words;
    EXPECT_EQ(out_, "") << words;
    EXPECT_THAT(err_, HasSubstr(message)) << words;
  }
  EXPECT_FALSE(fs::exists(results().folder()));
}

}  // namespace
}  // namespace assay::cli
