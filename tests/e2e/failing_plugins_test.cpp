// Sweeps with plugins that throw, diverge or crash: only their own runs fail, and only those are run again.
#include <gmock/gmock.h>

#include "e2e/programs.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class FailingPlugins : public testing::Programs {};

constexpr const char* kThrowingSweep = R"(
[[sweep]]
[sweep.grid]
positional = ["none", { label = "throws", use = "throws_in_hook", calls = 4, only_first_rank = true },
              { label = "number", use = "throws_in_hook", thrown = "number" }, "alibi"]
)";

class Throwing : public FailingPlugins, public ::testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    write_experiment(std::string("[resources]\nmesh = { tensor = ") + std::to_string(GetParam()) + " }\n" +
                     kThrowingSweep);
  }
};

TEST_P(Throwing, OnlyTheirOwnRunsFail) {
  ASSERT_EQ(call("run experiments/tiny.toml --jobs 2"), 1) << err_;
  const std::string who = "plugin 'throws_in_hook', component 'throws_in_hook', hook 'attention_bias': ";
  EXPECT_THAT(
      err_, AllOf(HasSubstr("FAILED positional=throws seed=1: " + who + "call 5 was one too many"),
                  HasSubstr("FAILED positional=number seed=1: " + who + "threw something that is not a std::exception"),
                  HasSubstr("2 done, 2 failed"), Not(HasSubstr("To show the table:"))));
  for (const auto& [label, text] : {std::pair{"positional=throws", "call 5 was one too many"},
                                    {"positional=number", "threw something that is not a std::exception"}}) {
    const auto run = run_of(label);
    const auto state = read_json(run.state());
    EXPECT_EQ(state["status"], "failed");
    EXPECT_EQ(state["class"], "plugin");
    EXPECT_EQ(state["exit_code"], 1);
    EXPECT_EQ(state["reason"], who + text);
    const auto last = read_events(run).back();
    EXPECT_EQ(last["type"], "error");
    EXPECT_EQ(last["text"], who + text);
    EXPECT_FALSE(fs::exists(run.train_record()));
    EXPECT_THAT(base::read_file(run.log()), HasSubstr(who + text));
  }
  for (const auto& line : record::read_plan_lines(experiment().plan()))
    EXPECT_EQ(record::has_all_records(line, experiment().run(line.train_id)),
              line.label == "positional=none" || line.label == "positional=alibi");

  EXPECT_EQ(call("compare tiny --metric lm.bits_per_byte@length=64 --format csv"), 0) << err_;
  for (const char* row :
       {"\npositional=none,none,0,1,1,0,0,0,0,0,0,", "\npositional=throws,throws,0,1,0,1,0,0,0,0,0,,,0,",
        "\npositional=number,number,0,1,0,1,0,0,0,0,0,,,0,", "\npositional=alibi,alibi,0,1,1,0,0,0,0,0,0,"})
    EXPECT_THAT(out_, HasSubstr(row));
  EXPECT_EQ(call("compare experiments/tiny.toml"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("0/1 (1 failed)"));
  EXPECT_EQ(call("status tiny"), 0);
  EXPECT_THAT(out_, HasSubstr("tiny: 2 done, 0 running, 2 failed, 0 queued"));

  const auto good = files_below(run_of("positional=alibi").folder());
  EXPECT_EQ(call("run experiments/tiny.toml --jobs 2"), 1) << err_;
  EXPECT_THAT(err_, AllOf(HasSubstr("Running 2 of 4 runs"), HasSubstr("0 done, 2 already complete, 2 failed")));
  EXPECT_EQ(files_below(run_of("positional=alibi").folder()), good);
  EXPECT_EQ(read_json(run_of("positional=throws").state())["attempt"], 2);
}

INSTANTIATE_TEST_SUITE_P(TensorRanks, Throwing, ::testing::Values(1, 2));

// Out of memory has its own class of failure, wherever in the run the allocation failed, and the reason says how to
// reduce memory.
TEST_F(FailingPlugins, OutOfMemoryHasItsOwnClass) {
  write_experiment(R"([[sweep]]
[sweep.grid]
positional = [{ label = "new", use = "throws_in_hook", thrown = "bad_alloc" },
              { label = "tensor", use = "throws_in_hook", thrown = "tensor" }]
)");
  ASSERT_EQ(call("run experiments/tiny.toml --jobs 2"), 1) << err_;
  for (const char* label : {"positional=new", "positional=tensor"}) {
    const auto state = read_json(run_of(label).state());
    EXPECT_EQ(state["class"], "out_of_memory") << state;
    EXPECT_THAT(state["reason"].get<std::string>(),
                AllOf(HasSubstr("hook 'attention_bias'"), HasSubstr("reduce resources.micro_batch")));
  }
}

TEST_F(FailingPlugins, ErrorsInCreateAreReportedBeforeAnyRunStarts) {
  write_experiment(R"([[sweep]]
[sweep.grid]
positional = ["none", "throws_in_create", "old_kind"]
)");
  EXPECT_EQ(call("run experiments/tiny.toml"), 2);
  EXPECT_THAT(err_, AllOf(HasSubstr("plugin 'throws_in_create', component 'throws_in_create', hook 'create': "
                                    "the constructor did not like the weather"),
                          HasSubstr("plugin 'old_kind', component 'old_kind'"), HasSubstr("feedfacefeedface")));
  EXPECT_FALSE(fs::exists(experiment().folder()));
}

TEST_F(FailingPlugins, ANonFiniteLossStopsItsRun) {
  write_experiment(R"([resources]
mesh = { tensor = 2 }
[[sweep]]
[sweep.grid]
objective = ["mle", { label = "nan", use = "nan_objective", calls = 2 }]
)");
  ASSERT_EQ(call("run experiments/tiny.toml --jobs 2"), 1) << err_;
  const auto run = run_of("objective=nan");
  const auto state = read_json(run.state());
  EXPECT_EQ(state["class"], "non_finite");
  EXPECT_THAT(state["reason"].get<std::string>(),
              AllOf(HasSubstr("step 3: loss nan"), HasSubstr("is 'objective.nan_objective (term 'nll')'"),
                    HasSubstr("train.non_finite")));
  EXPECT_FALSE(fs::exists(run.train_record()));
  EXPECT_EQ(call("compare tiny"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("0/1 (1 diverged)"));
}

// The process leaves no message, so the report names the hook that was running.
TEST_F(FailingPlugins, APluginThatEndsTheProcessIsNamed) {
  for (const char* tensor : {"1", "2"}) {
    write_experiment(std::string("[resources]\nmesh = { tensor = ") + tensor +
                     " }\n[[sweep]]\n[sweep.grid]\nobjective = [\"mle\", \"exits_early\"]\n");
    ASSERT_EQ(call("run experiments/tiny.toml --jobs 1", tensor), 1) << err_;
    const auto run = run_of("objective=exits_early", tensor);
    const auto state = read_json(run.state());
    EXPECT_EQ(state["class"], "plugin");
    EXPECT_THAT(state["reason"].get<std::string>(),
                AllOf(HasSubstr("the process ended with exit code 0; it"),  // or its threads, of two ranks
                      HasSubstr("plugin 'exits_early', component 'exits_early', hook 'prepare'")));
    EXPECT_FALSE(fs::exists(run.hooks()));
    EXPECT_FALSE(fs::exists(run_of("objective=mle", tensor).hooks()));
  }
}

TEST_F(FailingPlugins, AKilledWorkerRunsAgainToTheSameRecords) {
  write_experiment(R"([resources]
mesh = { tensor = 2 }
[[sweep]]
[sweep.grid]
positional = [{ label = "dies", use = "dies_once", calls = 3 }, "none"]
)");
  ASSERT_EQ(call("run experiments/tiny.toml --jobs 1"), 1) << err_;
  ASSERT_TRUE(fs::exists(marker_));
  EXPECT_THAT(err_, AllOf(HasSubstr("FAILED positional=dies seed=1: killed by SIGKILL"),
                          HasSubstr("plugin 'dies_once', component 'dies_once', hook 'attention_bias'"),
                          HasSubstr("1 done, 1 failed")));
  const auto state = read_json(run_of("positional=dies").state());
  EXPECT_EQ(state["status"], "failed");
  EXPECT_EQ(state["class"], "signal");
  EXPECT_EQ(state["signal"], 9);
  EXPECT_FALSE(state.contains("exit_code"));

  // Partial files of killed processes are removed.
  const auto left_behind = folder_.write("results/.cache/contexts/x.tokens.part999999999.1", "half");
  fs::last_write_time(left_behind, fs::file_time_type::clock::now() - std::chrono::hours(2));
  EXPECT_EQ(call("run experiments/tiny.toml"), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("1 done, 1 already complete"));
  EXPECT_FALSE(fs::exists(left_behind));
  const auto again = read_json(run_of("positional=dies").state());
  EXPECT_EQ(again["status"], "done");
  EXPECT_EQ(again["attempt"], 2);
  EXPECT_FALSE(again.contains("signal"));
  EXPECT_EQ(read_events(run_of("positional=dies")).back()["attempt"], 2);

  ASSERT_EQ(call("run experiments/tiny.toml", "never_killed"), 0) << err_;
  EXPECT_EQ(records("results"), records("never_killed"));
}

}  // namespace
}  // namespace assay
