// Runs that are stopped or killed inside an evaluation: between which batches they stop, what is lost, and that they
// end with the same results as uninterrupted runs.
#include <gmock/gmock.h>
#include <signal.h>

#include "e2e/resume.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr const char* kLeftAlone = "left_alone";

class InEvaluation : public testing::Resume {
 protected:
  // Evaluations run every three steps, at the steps of the checkpoints, and at the end. The signal is sent before the
  // third of the six batches of one of them.
  void write(int signal, int evaluation, const std::string& mesh = "{ tensor = 1 }", int every = 3) {
    write_case({}, 1000000, "step", mesh);
    folder_.write("experiments/evaluated.toml",
                  "extends = [\"case.toml\"]\n[experiment]\nname = \"tiny\"\n[[evaluate]]\nlabel = \"slow\"\nuse = "
                  "\"signals_in_evaluation\"\nevery = \"" +
                      std::to_string(every) + " steps\"\nsignal = " + std::to_string(signal) +
                      "\nevaluation = " + std::to_string(evaluation) + "\n");
  }
  int run(const std::string& results = "results") { return call("run experiments/evaluated.toml", results); }
  nlohmann::json state() { return read_json(experiment().run(plan()[0]["train_id"]).state()); }
  std::map<int, int> evaluations() {  // evaluations per step
    std::map<int, int> counts;
    for (const auto& event : read_events(experiment().run(plan()[0]["train_id"])))
      if (event["type"] == "evaluate" && event["label"] == "slow") ++counts[event["step"]];
    return counts;
  }
  void expect_as_left_alone() {
    ASSERT_EQ(run(), 0) << err_;
    ASSERT_EQ(run(kLeftAlone), 0) << err_;
    expect_equal(exact("results"), exact(kLeftAlone));
  }
};

class OnMeshes : public InEvaluation, public ::testing::WithParamInterface<const char*> {};

TEST_P(OnMeshes, ExitsBeforeTheNextBatchAndRepeatsTheEvaluation) {
  const bool mpi = std::string(GetParam()).find("mpi") != std::string::npos;
  if (mpi && !fs::exists(testing::build_folder() / "lib/libassay_mpi.so")) GTEST_SKIP() << "this build has no MPI";
  write(SIGTERM, 2, GetParam());
  ASSERT_EQ(run(), 75) << err_;
  EXPECT_EQ(base::read_file(marker_), "sent\n");  // no batch was read after it
  // With two processes, the signal may have reached the one that does not write the state.
  EXPECT_THAT(state()["status"].get<std::string>(), AnyOf("preempted", mpi ? "cancelled" : "preempted"));
  EXPECT_EQ(state()["reason"], "checkpointed and exited after step 6");
  EXPECT_FALSE(fs::exists(experiment().run(plan()[0]["train_id"]).progress()));
  expect_as_left_alone();
  EXPECT_EQ(start_of_last_attempt()["from"], 6);
}

const std::vector<std::string> kNames{"one", "four", "two_processes"};
INSTANTIATE_TEST_SUITE_P(Ranks, OnMeshes,
                         ::testing::Values("{ tensor = 1 }", "{ tensor = 2, data = 2 }",
                                           "{ tensor = 2, backend = \"mpi\" }"),
                         [](const auto& info) { return kNames[info.index]; });

// The state is saved even at a step without a scheduled checkpoint.
TEST_F(InEvaluation, AStepWithoutACheckpointIsSavedWhenItsEvaluationIsStopped) {
  write(SIGINT, 2, "{ tensor = 1 }", 2);
  ASSERT_EQ(run(), 75) << err_;
  EXPECT_EQ(state()["status"], "cancelled");
  expect_as_left_alone();
  EXPECT_EQ(start_of_last_attempt()["from"], 4);
}

TEST_F(InEvaluation, StoppingTheLastEvaluationKeepsTheTraining) {
  write(SIGTERM, 4);
  ASSERT_EQ(run(), 75) << err_;
  EXPECT_EQ(base::read_file(marker_), "sent\n");
  expect_as_left_alone();
  EXPECT_EQ(start_of_last_attempt()["from"], testing::kSteps);
}

// The checkpoint of a step is written before the step's evaluations, and the next attempt runs the evaluations that are
// missing.
TEST_F(InEvaluation, AKillLosesNoStep) {
  write(SIGKILL, 2);
  ASSERT_EQ(run(), 1) << err_;
  EXPECT_THAT(
      err_, HasSubstr("killed by SIGKILL (out of memory, or sent by a user); "
                      "it was in plugin 'signals_in_evaluation', component 'signals_in_evaluation', hook 'evaluate'"));
  expect_as_left_alone();
  EXPECT_EQ(start_of_last_attempt()["from"], 6);
}

// Evaluations that an earlier attempt finished at the step of its checkpoint are not run again.
TEST_F(InEvaluation, NothingIsEvaluatedTwice) {
  write(SIGKILL, 1000000);
  write_case({}, 7);  // the tracker kills at step 7
  ASSERT_EQ(run(), 1) << err_;
  expect_as_left_alone();
  EXPECT_EQ(start_of_last_attempt()["from"], 6);
  EXPECT_EQ(evaluations(), (std::map<int, int>{{3, 1}, {6, 1}, {9, 1}, {12, 1}}));
}

// Events that were written before they had ids are matched by their label.
TEST_F(InEvaluation, NothingIsEvaluatedTwiceWhenEventsHaveNoIds) {
  write(SIGKILL, 1000000);
  write_case({}, 7);
  ASSERT_EQ(run(), 1) << err_;
  const auto file = experiment().run(plan()[0]["train_id"]).events();
  std::string lines;
  for (auto event : read_events(experiment().run(plan()[0]["train_id"]))) {
    event.erase("id");
    lines += event.dump() + "\n";
  }
  std::ofstream(file) << lines;
  ASSERT_EQ(run(), 0) << err_;
  EXPECT_EQ(start_of_last_attempt()["from"], 6);
  EXPECT_EQ(evaluations(), (std::map<int, int>{{3, 1}, {6, 1}, {9, 1}, {12, 1}}));
}

// A worker that does not stop is killed after the configured grace period; the reason names the timeout and where the
// worker was.
TEST_F(InEvaluation, ATimeoutIsNamedInTheReason) {
  write(SIGSTOP, 1);  // the process is suspended and handles no request
  ASSERT_EQ(call("run experiments/evaluated.toml --timeout 10s"), 1) << err_;
  EXPECT_THAT(err_, HasSubstr("exceeds --timeout 10s: it is signalled to stop, and killed in 5s if it still runs"));
  EXPECT_EQ(state()["class"], "timeout");
  EXPECT_THAT(state()["reason"].get<std::string>(),
              HasSubstr("exceeded --timeout 10s; it did not stop on request and was killed; "
                        "it was in plugin 'signals_in_evaluation'"));
}

}  // namespace
}  // namespace assay
