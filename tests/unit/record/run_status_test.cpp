#include "record/run_status.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/lock.h"
#include "record/state.h"
#include "unit/plan_line.h"
#include "unit/temporary_folder.h"

namespace assay::record {
namespace {

TEST(RunStatus, RecordsThenLockThenState) {
  const testing::TemporaryFolder folder;
  const RunLayout run(folder.path());
  const auto line = testing::plan_line({{"evaluate", {{{"id", "e"}}}}});
  EXPECT_EQ(run_status(line, run).status, RunStatus::kQueued);

  State state;
  state.status = RunStatus::kRunning;
  write_state(run.state(), state);
  EXPECT_EQ(run_status(line, run).status, RunStatus::kQueued);  // no process holds the lock: its worker is gone
  {
    const auto lock = base::FileLock::lock(run.lock());
    EXPECT_EQ(run_status(line, run).status, RunStatus::kRunning);
  }
  state.status = RunStatus::kFailed;
  state.reason = "it broke";
  write_state(run.state(), state);
  EXPECT_EQ(run_status(line, run).status, RunStatus::kFailed);
  EXPECT_EQ(run_status(line, run).reason, "it broke");
  {
    const auto lock = base::FileLock::lock(run.lock());  // it is run again
    EXPECT_EQ(run_status(line, run).status, RunStatus::kRunning);
  }
  for (const auto& [status, shown] : {std::pair{RunStatus::kPreempted, RunStatus::kPreempted},
                                      {RunStatus::kCancelled, RunStatus::kCancelled},
                                      {RunStatus::kPruned, RunStatus::kPruned},
                                      {RunStatus::kPaused, RunStatus::kQueued},
                                      {RunStatus::kFailed, RunStatus::kFailed}}) {
    state.status = status;
    write_state(run.state(), state);
    EXPECT_EQ(run_status(line, run).status, shown) << name_of(status);
  }
  folder.write("train.json", "{}");
  EXPECT_EQ(run_status(line, run).status, RunStatus::kFailed);
  folder.write("eval/e.json", "{}");
  EXPECT_EQ(run_status(line, run).status, RunStatus::kDone);
}

TEST(RunStatus, ItsNameRoundTrips) {
  const std::map<RunStatus, std::string> names{
      {RunStatus::kDone, "done"},           {RunStatus::kRunning, "running"},     {RunStatus::kFailed, "failed"},
      {RunStatus::kPreempted, "preempted"}, {RunStatus::kCancelled, "cancelled"}, {RunStatus::kPruned, "pruned"},
      {RunStatus::kQueued, "queued"},       {RunStatus::kPaused, "paused"},       {RunStatus::kStale, "stale"}};
  for (const auto& [status, name] : names) {
    EXPECT_EQ(name_of(status), name);
    EXPECT_EQ(status_of_name(name), status);
  }
  EXPECT_FALSE(status_of_name("Done"));
  EXPECT_FALSE(status_of_name(""));
}

}  // namespace
}  // namespace assay::record
