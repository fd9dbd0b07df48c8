#include "record/run_status.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/lock.h"
#include "record/state.h"
#include "unit/temporary_folder.h"

namespace assay::record {
namespace {

TEST(RunStatus, RecordsThenLockThenState) {
  const testing::TemporaryFolder folder;
  const RunLayout run(folder.path());
  const nlohmann::json line = {{"train_id", "t"}, {"evaluate", {{{"id", "e"}}}}};
  EXPECT_EQ(run_status(line, run).standing, Standing::kQueued);

  State state;
  state.status = "running";
  write_state(run.state(), state);
  EXPECT_EQ(run_status(line, run).standing, Standing::kQueued);  // nobody holds the lock: its worker is gone
  {
    const auto lock = base::FileLock::lock(run.lock());
    EXPECT_EQ(run_status(line, run).standing, Standing::kRunning);
  }
  state.status = "failed";
  state.reason = "it broke";
  write_state(run.state(), state);
  EXPECT_EQ(run_status(line, run).standing, Standing::kFailed);
  EXPECT_EQ(run_status(line, run).reason, "it broke");
  {
    const auto lock = base::FileLock::lock(run.lock());  // tried again
    EXPECT_EQ(run_status(line, run).standing, Standing::kRunning);
  }
  for (const auto& [status, standing] : {std::pair{"preempted", Standing::kPreempted},
                                         {"cancelled", Standing::kCancelled},
                                         {"pruned", Standing::kPruned},
                                         {"paused", Standing::kQueued},
                                         {"failed", Standing::kFailed}}) {
    state.status = status;
    write_state(run.state(), state);
    EXPECT_EQ(run_status(line, run).standing, standing) << status;
  }
  folder.write("train.json", "{}");
  EXPECT_EQ(run_status(line, run).standing, Standing::kFailed);
  folder.write("eval/e.json", "{}");
  EXPECT_EQ(run_status(line, run).standing, Standing::kDone);
}

}  // namespace
}  // namespace assay::record
