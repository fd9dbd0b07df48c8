// Runs that checkpoint and exit on request: when they stop, what is reported, and that they end like uninterrupted
// runs.
#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "base/lock.h"
#include "e2e/resume.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::kSteps;

constexpr const char* kNeverKilled = "never_killed";

struct Signalled {
  const char *name, *mesh;
  int signal;
  bool to_controller;
  int code;  // exit code of assay run
  const char* status;
};
void PrintTo(const Signalled& one, std::ostream* stream) { *stream << one.name; }

class Stop : public testing::Resume, public ::testing::WithParamInterface<Signalled> {
 protected:
  nlohmann::json state() { return read_json(experiment().run(plan()[0]["train_id"]).state()); }
};

// A run that gets the request while it logs step 5 also does step 6, because the ranks agree in the collectives of a
// step, and saves step 6.
TEST_P(Stop, StopsAfterTheNextStepAndEndsLikeAnUninterruptedRun) {
  const auto& one = GetParam();
  if (std::string(one.mesh).find("mpi") != std::string::npos &&
      !fs::exists(testing::build_folder() / "lib/libassay_mpi.so"))
    GTEST_SKIP() << "this build has no MPI";
  write_case({}, 5, "step", one.mesh,
             "signal = " + std::to_string(one.signal) + (one.to_controller ? "\nto_parent = true\n" : "\n"));
  ASSERT_EQ(call("run experiments/case.toml"), one.code) << err_;
  ASSERT_TRUE(fs::exists(marker_)) << err_;
  EXPECT_EQ(state()["status"], one.status);
  EXPECT_EQ(state()["exit_code"], 75);
  EXPECT_EQ(state()["reason"], "checkpointed and exited after step 6");
  ASSERT_EQ(call("run experiments/case.toml"), 0) << err_;
  EXPECT_EQ(start_of_last_attempt()["from"], 6);
  ASSERT_EQ(call("run experiments/case.toml", kNeverKilled), 0) << err_;
  expect_equal(exact("results"), exact(kNeverKilled));
}

constexpr const char *kOne = "{ tensor = 1 }", *kFour = "{ tensor = 2, data = 2 }",
                     *kTwoProcesses = "{ tensor = 2, backend = \"mpi\" }";
INSTANTIATE_TEST_SUITE_P(
    Ways, Stop,
    ::testing::Values(Signalled{"worker_by_the_machine", kOne, SIGTERM, false, 75, "preempted"},
                      Signalled{"worker_of_four_ranks_by_a_person", kFour, SIGINT, false, 75, "cancelled"},
                      Signalled{"controller_by_a_person", kFour, SIGINT, true, 130, "cancelled"},
                      Signalled{"controller_by_the_machine", kOne, SIGTERM, true, 143, "preempted"},
                      Signalled{"one_process_of_two", kTwoProcesses, SIGTERM, false, 75, "preempted"}),
    [](const auto& info) { return info.param.name; });

// Training is finished and saved; only the evaluation is stopped.
TEST_F(Stop, StoppingTheLastEvaluationKeepsTheTraining) {
  write_case({}, testing::kSteps, "step", kFour, "signal = 15\n");
  ASSERT_EQ(call("run experiments/case.toml train.keep=\"none\""), 75) << err_;
  EXPECT_EQ(state()["reason"], "checkpointed and exited after step 12");
  ASSERT_EQ(call("run experiments/case.toml train.keep=\"none\""), 0) << err_;
  EXPECT_EQ(start_of_last_attempt()["from"], testing::kSteps);
  ASSERT_EQ(call("run experiments/case.toml train.keep=\"none\"", kNeverKilled), 0) << err_;
  EXPECT_EQ(records("results"), records(kNeverKilled));
}

// assay stop on runs that would take hours.
class StopVerb : public testing::Resume {
 protected:
  StopVerb() { write_case({}, 1000000, "step", "{ tensor = 1 }"); }
  pid_t start_run() {
    const auto controller = start("run experiments/case.toml train.steps=1000000 log.every=1000000");
    while (!fs::exists(experiment().plan()) || !is_training()) {
      int status = 0;
      if (::waitpid(controller, &status, WNOHANG) == controller)
        throw std::runtime_error("the controller ended: " + base::read_file(folder_ / "started"));
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return controller;
  }
  record::RunLayout run() { return experiment().run(plan().at(0)["train_id"]); }
  bool is_training() {
    return fs::exists(run().events()) && base::read_file(run().events()).find("\"step\"") != std::string::npos;
  }
  // Returns the exit code of a controller, -9 when it was killed.
  int end_of(pid_t controller) {
    int status = 0;
    ::waitpid(controller, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  void wait_until_free() {
    while (base::FileLock::is_held(run().lock())) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
};

TEST_F(StopVerb, StopsControllerAndWorker) {
  const auto controller = start_run();
  ASSERT_EQ(call("status tiny"), 0) << err_;
  EXPECT_THAT(out_, AllOf(HasSubstr("tiny: 0 done, 1 running"), HasSubstr("running  tiny seed=1  1/1000000  loss ")));
  ASSERT_EQ(call("stop tiny"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("Signalled 1 controller and 1 run to stop"));
  EXPECT_EQ(end_of(controller), 75) << base::read_file(folder_ / "started");
  EXPECT_EQ(read_json(run().state())["status"], "cancelled");
  ASSERT_EQ(call("status tiny"), 0) << err_;
  EXPECT_THAT(out_,
              AllOf(HasSubstr("0 queued, 1 cancelled"), HasSubstr("cancelled  tiny seed=1: checkpointed and exited")));
  ASSERT_EQ(call("stop tiny"), 0) << err_;
  EXPECT_EQ(out_, "No process of tiny runs on this machine.\n");
  ASSERT_EQ(call("ls"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("tiny"));
}

TEST_F(StopVerb, StopsAWorkerWhoseControllerWasKilled) {
  const auto controller = start_run();
  ::kill(controller, SIGKILL);
  EXPECT_EQ(end_of(controller), -SIGKILL);
  ASSERT_EQ(call("stop tiny"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("Signalled 0 controllers and 1 run to stop"));
  wait_until_free();
  EXPECT_EQ(read_json(run().state())["status"], "cancelled");
  ASSERT_EQ(call("gc tiny"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("plan of a controller that was killed"));
  EXPECT_TRUE(fs::exists(run().folder()));
}

}  // namespace
}  // namespace assay
