// Sweeps of fake workers, with every way in which a worker can end.
#include "launch/local.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "assay/error.h"
#include "base/files.h"
#include "record/state.h"
#include "unit/plan_line.h"
#include "unit/source_folder.h"
#include "unit/temporary_folder.h"

namespace assay::launch {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Launch : public ::testing::Test {
 protected:
  Launch() {  // a script that runs tests in the background ignores these signals
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_DFL);
  }
  LaunchSummary run(const std::vector<std::string>& ids, int jobs = 1, const LaunchOptions& more = {}) {
    std::vector<record::PlanLine> plan;
    std::vector<Job> all;
    for (const auto& id : ids) {
      plan.push_back(testing::plan_line({{"train_id", id},
                                         {"label", "run " + id},
                                         {"train", {{"train", {{"steps", 20}}}}},
                                         {"resources", {{"threads", 2}, {"mesh", {{"tensor", 2}}}}}}));
      all.push_back(job_of(plan.back(), record::ExperimentLayout(folder_.path())));
    }
    auto options = more;
    options.files = {testing::fake_worker(), folder_.path(), folder_.write("plan.jsonl", "{}\n")};
    options.jobs = jobs;
    Progress progress(output_, ProgressStyle{}, ids.size(), jobs);
    SlotPool slots(folder_.path(), {"0", "1"}, {});
    return launch(all, plan, options, slots, progress);
  }
  record::RunLayout files(const std::string& id) { return record::ExperimentLayout(folder_.path()).run(id); }
  record::State state(const std::string& id) { return record::read_state(files(id).state()).value_or(record::State{}); }
  std::string output() { return output_.str(); }

  testing::TemporaryFolder folder_;
  std::ostringstream output_;
};

TEST_F(Launch, AFailureDoesNotAffectOtherRuns) {
  const auto summary = run({"ok1", "plugin", "ok2", "silent", "ok3"}, 2);
  EXPECT_EQ(summary.done, 3u);
  EXPECT_EQ(summary.failed, 2u);
  EXPECT_EQ(summary.signal, 0);
  EXPECT_EQ(base::read_file(files("ok3").log()), "worker of ok3\n");
  EXPECT_THAT(output(), HasSubstr("done   run ok3 seed=1  loss 2.5000"));
}

TEST_F(Launch, TheWorkersReasonIsUsed) {
  run({"plugin"});
  EXPECT_EQ(state("plugin").status, record::RunStatus::kFailed);
  EXPECT_EQ(state("plugin").attempt, 2);
  EXPECT_EQ(state("plugin").reason, "plugin p: it broke");
  EXPECT_EQ(state("plugin").failure_class, "plugin");
  EXPECT_EQ(state("plugin").exit_code, 1);
  EXPECT_THAT(output(), AllOf(HasSubstr("FAILED run plugin seed=1: plugin p: it broke\n"), HasSubstr("| a last word\n"),
                              HasSubstr(files("plugin").log().string())));
}

TEST_F(Launch, WithoutAReasonTheEventOrTheLogIsUsed) {
  run({"event", "silent", "torn"});
  EXPECT_EQ(state("event").reason, "loss is NaN at step 7");
  EXPECT_EQ(state("event").failure_class, "non_finite");
  EXPECT_EQ(state("silent").reason, "line 10");
  EXPECT_EQ(state("silent").failure_class, "bug");
  EXPECT_EQ(state("torn").status, record::RunStatus::kFailed);
  EXPECT_EQ(state("torn").reason, "worker of torn");
  EXPECT_THAT(output(), AllOf(HasSubstr("| line 3\n"), Not(HasSubstr("| line 2\n"))));
}

TEST_F(Launch, LogsAndEventsOfEarlierAttemptsAreNotUsed) {
  folder_.write("runs/silent/events.jsonl",
                "{\"attempt\":1,\"type\":\"error\",\"class\":\"plugin\",\"text\":\"old\"}\n");
  folder_.write("runs/signal/log.txt", "old line\n");
  run({"silent", "signal"});
  EXPECT_EQ(state("silent").reason, "line 10");
  EXPECT_THAT(output(), Not(HasSubstr("old")));
  EXPECT_EQ(base::read_file(files("signal").log()), "old line\nworker of signal\n");
}

TEST_F(Launch, ASignalIsNamed) {
  run({"signal"});
  EXPECT_EQ(state("signal").status, record::RunStatus::kFailed);
  EXPECT_EQ(state("signal").signal, 9);
  EXPECT_FALSE(state("signal").exit_code);
  EXPECT_EQ(state("signal").attempt, 4);
  EXPECT_EQ(state("signal").failure_class, "signal");
  EXPECT_THAT(state("signal").reason, HasSubstr("SIGKILL"));
}

TEST_F(Launch, AStateThatCannotBeWrittenIsReportedAndTheSweepContinues) {
  folder_.write("runs/silent/state.json/in_the_way", "");
  const auto summary = run({"ok1", "silent", "ok2"}, 2);
  EXPECT_EQ(summary.done, 2u);
  EXPECT_EQ(summary.failed, 1u);
  EXPECT_THAT(output(), AllOf(HasSubstr("FAILED run silent seed=1: line 10"), HasSubstr("state.json: cannot rename")));
}

TEST_F(Launch, ARunWhoseFolderCannotBeCreatedFailsAlone) {
  folder_.write("runs/blocked", "a file in the way");
  const auto summary = run({"ok1", "blocked", "ok2"}, 2);
  EXPECT_EQ(summary.done, 2u);
  EXPECT_EQ(summary.failed, 1u);
  EXPECT_THAT(output(), AllOf(HasSubstr("FAILED run blocked seed=1: "), HasSubstr("runs/blocked")));
}

TEST_F(Launch, DoneNeedsARecord) {
  EXPECT_EQ(run({"norecord"}).failed, 1u);
  EXPECT_EQ(state("norecord").failure_class, "bug");
}

TEST_F(Launch, ARunClaimedElsewhereIsNoFailure) {
  const auto summary = run({"claimed", "ok"});
  EXPECT_EQ(summary.elsewhere, 1u);
  EXPECT_EQ(summary.failed, 0u);
  EXPECT_FALSE(std::filesystem::exists(files("claimed").state()));
}

TEST_F(Launch, TheEnvironmentIsSetBeforeTheWorkerStarts) {
  ::setenv("OMP_NUM_THREADS", "77", 1);
  run({"environment", "ok1", "ok2"}, 2);
  const auto environment = "\n" + base::read_file(files("environment").folder() / "environment.txt");
  EXPECT_THAT(environment, AllOf(HasSubstr("\nOMP_NUM_THREADS=2\n"), HasSubstr("\nMKL_NUM_THREADS=2\n"),
                                 HasSubstr("\nGOMP_SPINCOUNT=10"), HasSubstr("\nASSAY_JOBS=2\n"), HasSubstr("\nPATH="),
                                 Not(HasSubstr("77"))));
}

TEST_F(Launch, FailFastStopsTheRest) {
  const auto summary = run({"waiting", "silent", "ok"}, 2, {.files = {}, .fail_fast = true});
  EXPECT_EQ(summary.failed, 1u);
  EXPECT_EQ(summary.cancelled, 1u);
  EXPECT_EQ(summary.not_started, 1u);
  EXPECT_EQ(summary.signal, 0);
  EXPECT_EQ(state("waiting").status, record::RunStatus::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(files("ok").folder()));
}

TEST_F(Launch, TheFirstInterruptCheckpointsAndExits) {
  const auto summary = run({"polite", "ok"});
  EXPECT_EQ(summary.signal, SIGINT);
  EXPECT_EQ(summary.cancelled, 1u);
  EXPECT_EQ(summary.not_started, 1u);
  EXPECT_EQ(state("polite").status, record::RunStatus::kCancelled);
  EXPECT_EQ(state("polite").exit_code, 75);
  EXPECT_EQ(state("polite").reason, "checkpointed and exited after step 7");
}

TEST_F(Launch, SigtermIsPreemption) {
  const auto summary = run({"evicted", "ok"});
  EXPECT_EQ(summary.signal, SIGTERM);
  EXPECT_EQ(summary.preempted, 1u);
  EXPECT_EQ(summary.not_started, 1u);
  EXPECT_EQ(state("evicted").status, record::RunStatus::kPreempted);
}

TEST_F(Launch, APreemptedWorkerDoesNotAffectOtherRuns) {
  const auto summary = run({"preempted", "ok"});
  EXPECT_EQ(summary.signal, 0);
  EXPECT_EQ(summary.preempted, 1u);
  EXPECT_EQ(summary.done, 1u);
  EXPECT_EQ(summary.failed, 0u);
}

TEST_F(Launch, TheSecondInterruptKills) {
  const auto summary = run({"stubborn"});
  EXPECT_EQ(summary.signal, SIGINT);
  EXPECT_EQ(state("stubborn").status, record::RunStatus::kCancelled);
  EXPECT_EQ(state("stubborn").signal, 9);
}

TEST_F(Launch, AKilledWorkerIsRetried) {
  EXPECT_EQ(run({"accident", "ok"}).failed, 1u);
  EXPECT_EQ(run({"accident2", "ok2"}, 1, {.files = {}, .retries = 1}).done, 2u);
  EXPECT_THAT(output(), HasSubstr("The run is retried."));
}

TEST_F(Launch, DeterministicFailuresAreNotRetried) {
  const auto tries = [&](const std::string& id) {
    EXPECT_EQ(run({id}, 1, {.files = {}, .retries = 2}).failed, 1u);
    return std::ranges::count(base::read_file(files(id).folder() / "times"), '\n');
  };
  for (const char* failure : {"user", "plugin", "non_finite", "replicas", "bug", "out_of_memory"})
    EXPECT_EQ(tries(std::string("counts-") + failure), 1) << failure;
  for (const char* failure : {"signal", "lost", "timeout"})
    EXPECT_EQ(tries(std::string("counts-") + failure), 3) << failure;
}

TEST_F(Launch, ATimeoutHasItsOwnClass) {
  const auto summary = run({"waiting", "ok"}, 1, {.files = {}, .timeout = std::chrono::seconds(1)});
  EXPECT_EQ(summary.failed, 1u);
  EXPECT_EQ(summary.done, 1u);
  EXPECT_EQ(state("waiting").status, record::RunStatus::kFailed);
  EXPECT_EQ(state("waiting").failure_class, "timeout");
  EXPECT_THAT(state("waiting").reason, HasSubstr("exceeded --timeout 1s; killed by SIGUSR1"));
}

TEST_F(Launch, ATimedOutWorkerIsKilledAfterItsGracePeriod) {
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(run({"deaf"}, 1, {.files = {}, .timeout = std::chrono::seconds(1)}).failed, 1u);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(15));
  EXPECT_EQ(state("deaf").failure_class, "timeout");
  EXPECT_EQ(state("deaf").reason, "exceeded --timeout 1s; it did not stop on request and was killed");
  EXPECT_THAT(
      output(),
      HasSubstr("run deaf seed=1 exceeds --timeout 1s: it is signalled to stop, and killed in 5s if it still runs"));
  using std::chrono::seconds;
  EXPECT_EQ(grace_period(seconds(8)), seconds(5));
  EXPECT_EQ(grace_period(seconds(80)), seconds(20));
  EXPECT_EQ(grace_period(seconds(7200)), seconds(60));
}

TEST(OomKills, AreCountedByTheKernel) {
  EXPECT_EQ(oom_kills("pgfault 7\noom_kill 12\nnuma_hit 3\n"), 12u);
  EXPECT_EQ(oom_kills("pgfault 7\n"), 0u);
}

TEST(LaunchErrors, AMissingWorkerIsReported) {
  std::ostringstream output;
  Progress progress(output, {}, 0, 1);
  LaunchOptions options;
  options.files.worker = "/nowhere/assay-worker";
  SlotPool slots("/nowhere", {"0"}, {});
  EXPECT_THROW(launch({}, {}, options, slots, progress), UserError);
}

TEST(DefaultJobs, DependOnTheMostDemandingRun) {
  const auto job = [](int cores) {
    return Job{.train_id = "", .name = "", .run = record::RunLayout(""), .threads = 1, .cores = cores, .steps = 0};
  };
  EXPECT_EQ(default_jobs({job(2), job(4)}, 16), 4);
  EXPECT_EQ(default_jobs({job(4)}, 2), 1);
  EXPECT_EQ(default_jobs({}, 3), 3);
}

}  // namespace
}  // namespace assay::launch
