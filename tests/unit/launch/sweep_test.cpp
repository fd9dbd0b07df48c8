// Plans that run with the fake worker: which runs start, which are skipped, and which files remain.
#include "launch/sweep.h"

#include <gmock/gmock.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/files.h"
#include "record/plan_line/plan_lines.h"
#include "unit/plan_line.h"
#include "unit/source_folder.h"
#include "unit/temporary_folder.h"

namespace assay::launch {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class RunSweep : public ::testing::Test {
 protected:
  RunSweep() {
    ::setenv("ASSAY_RUNTIME", (folder_ / "runtime").c_str(), /*overwrite=*/1);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_DFL);
  }
  int run(const std::vector<std::string>& ids, bool dry_run = false) {
    std::vector<record::PlanLine> plan;
    for (const auto& id : ids) plan.push_back(testing::plan_line({{"train_id", id}, {"label", id}}));
    SweepOptions options;
    options.worker = testing::fake_worker();
    options.experiment = folder_ / "quick";
    options.jobs = 1;
    options.dry_run = dry_run;
    out_.str("");
    return run_sweep(plan, options, out_, {});
  }
  testing::TemporaryFolder folder_;
  std::ostringstream out_;
};

TEST_F(RunSweep, RunsOnceAndThenFindsItsRecords) {
  EXPECT_EQ(run({"ok1", "ok2"}), 0);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("Running 2 of 2 runs"), HasSubstr("2 done. Records: ")));
  EXPECT_EQ(run({"ok1", "ok2", "ok3"}), 0);
  EXPECT_THAT(out_.str(),
              AllOf(HasSubstr("Running 1 of 3 runs"), HasSubstr("1 done, 2 already complete"), Not(HasSubstr("ok1"))));
  size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_ / "quick")) ++entries;
  EXPECT_EQ(entries, 2u);  // runs and lock; the controller's own plan is gone
}

TEST_F(RunSweep, ExitCodes) {
  EXPECT_EQ(run({"silent", "ok"}), 1);
  EXPECT_THAT(out_.str(), HasSubstr("1 done, 1 failed. "));
  EXPECT_EQ(run({"claimed"}), 1);
  EXPECT_EQ(run({"polite", "ok"}), 130);
  EXPECT_THAT(out_.str(), HasSubstr("1 already complete, 1 cancelled"));
  EXPECT_EQ(run({"evicted", "ok"}), 143);
  EXPECT_EQ(run({"preempted", "ok"}), 75);
  EXPECT_THAT(out_.str(), HasSubstr("1 already complete, 1 preempted"));
}

TEST_F(RunSweep, ARunFinishedByAnotherProcessIsDone) {
  EXPECT_EQ(run({"taken1", "taken2", "ok"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("1 done, 2 done by another process. "));
  EXPECT_EQ(run({"taken3", "claimed"}), 1);
  EXPECT_THAT(out_.str(), HasSubstr("0 done, 1 done by another process, 1 not started. "));
}

TEST_F(RunSweep, ADryRunWritesNothing) {
  EXPECT_EQ(run({"ok1", "silent"}, /*dry_run=*/true), 0);
  EXPECT_EQ(out_.str(),
            "would run  ok1 seed=1  (ok1)\nwould run  silent seed=1  (silent)\n"
            "2 of 2 runs have no complete record.\n");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "quick"));
}

}  // namespace
}  // namespace assay::launch
