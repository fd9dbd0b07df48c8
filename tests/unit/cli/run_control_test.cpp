// What a sweep does besides training: it waits for cores, is stopped, and prunes. The workers are scripts.
#include <gmock/gmock.h>

#include <chrono>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/cores.h"
#include "base/files.h"
#include "base/lock.h"
#include "record/plan_line/plan_lines.h"
#include "record/state.h"
#include "unit/cli/run_program.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RunProgram;

class RunControl : public RunProgram {
 protected:
  // Runs `assay run words...` in its own process; its output is in the file "said".
  std::future<int> start(const std::string& words) {
    return std::async(std::launch::async, [command = command_of("run " + words, "said", "said")] {
      const int status = std::system(command.c_str());
      return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    });
  }
  std::string said() { return fs::exists(folder_ / "said") ? base::read_file(folder_ / "said") : ""; }
  // Or that it has ended.
  template <class Condition>
  static void wait_for(std::future<int>& run, const Condition& is_so) {
    while (!is_so() && run.wait_for(std::chrono::milliseconds(5)) != std::future_status::ready) {
    }
  }
};

TEST_F(RunControl, ExclusiveWaitsForTheCoresOfAnotherInvocation) {
  const auto core = "core-" + base::core_names().back();
  fs::create_directories(folder_ / "runtime");
  std::optional<base::FileLock> others = base::FileLock::lock(folder_ / "runtime" / core);
  auto run = start("experiments/quick.toml --exclusive --only 'positional=alibi seed=1'");
  wait_for(run, [&] { return said().find("Waiting") != std::string::npos; });
  EXPECT_THAT(said(), AllOf(HasSubstr("Waiting for cores or GPUs that other runs of this user hold."),
                            Not(HasSubstr("start  "))));
  others.reset();
  EXPECT_EQ(run.get(), 0) << said();
  EXPECT_THAT(said(), HasSubstr("1 done."));
}

// The first interrupt asks runs to stop and the second one kills those that do not; a third one finds no process.
TEST_F(RunControl, StoppedTwice) {
  write_worker(R"(run=$7/runs/$5
trap 'touch "$run/asked"' USR1
touch "$run/started"
while :; do sleep 0.02 || :; done
)");
  auto run = start("experiments/quick.toml --only 'positional=alibi seed=1'");
  const auto layout = [&] {
    for (const auto& line : record::read_plan_lines(results().plan()))
      if (line.label == "positional=alibi" && line.seed == 1) return results().run(line.train_id);
    throw std::runtime_error("it is not in the plan");
  };
  wait_for(run, [&] { return fs::exists(results().plan()) && fs::exists(layout().folder() / "started"); });
  for (const char* what : {"Stopping after a checkpoint; repeat the signal to stop at once.", "Killing the workers."}) {
    ASSERT_EQ(call("stop quick"), 0) << err_;
    EXPECT_EQ(
        out_,
        "Signalled 1 controller and 0 runs to stop; a run checkpoints first. To stop at once, repeat the command.\n");
    wait_for(run, [&] { return said().find(what) != std::string::npos; });
    EXPECT_THAT(said(), HasSubstr(what));
    wait_for(run, [&] { return fs::exists(layout().folder() / "asked"); });
  }
  EXPECT_EQ(run.get(), 75);
  EXPECT_EQ(record::read_state(layout().state())->status, record::RunStatus::kCancelled);
  ASSERT_EQ(call("stop quick"), 0) << err_;
  EXPECT_EQ(out_, "No process of quick runs on this machine.\n");
}

// Four learning rates besides the baseline's. The evaluator's metric orders them one way at step 2 and the other way at
// step 3: the runs that continue from the second rung are not the best ones of the first.
TEST_F(RunControl, TwoRungsByAnEvaluatorsMetric) {
  write_worker(R"(plan=$3 id=$5 run=$7/runs/$5 until=${9:-0}
line=$(grep -F "\"train_id\":\"$id\"" "$plan")
rate=$(printf '%s' "$line" | sed 's/.*"lr":0\.00\([0-9]\).*/\1/')
mkdir -p "$run/eval"
if [ "$until" != 0 ]; then
  [ "$until" = 2 ] && value=$rate || value=$((9 - rate))
  echo "{\"attempt\":1,\"type\":\"evaluate\",\"step\":$until,\"label\":\"lm\",\"metrics\":[{\"name\":\"bits_per_byte\",\"value\":$value,\"direction\":\"lower\",\"coordinates\":{\"length\":64}}]}" >>"$run/events.jsonl"
  mkdir -p "$run/checkpoint/step-$until"
  echo '{"status":"paused","attempt":1,"pid":1,"exit_code":75}' >"$run/state.json"
  exit 75
fi
for eval in $(printf '%s' "$line" | grep -o '"id":"[0-9a-f]*"' | cut -d'"' -f4); do
  echo '{"schema":1,"metrics":[]}' >"$run/eval/$eval.json"
done
echo '{"schema":1,"code":{"training":"x"}}' >"$run/train.json"
)");
  folder_.write("experiments/rungs.toml", R"(
extends = ["quick.toml"]
[experiment]
seeds = [1]
[[evaluate]]
use = "lm"
lengths = [64]
every = "1 steps"
[[sweep]]
[sweep.grid]
optimizer.lr = [1e-3, 2e-3, 3e-3, 4e-3, 5e-3]
[compare]
baseline = { optimizer.lr = 5e-3 }
[prune]
metric = "lm.bits_per_byte@length=64"
rungs = ["2 steps", "3 steps"]
)");
  ASSERT_EQ(call("run experiments/rungs.toml"), 0) << err_;
  const auto pruned = [](const char* rate, const char* why) {
    return HasSubstr(std::string("pruned optimizer.lr=") + rate + " seed=1: ranked " + why + " continue\n");
  };
  EXPECT_THAT(err_, AllOf(HasSubstr("Running 5 of 5 runs up to the rung 2 steps"),
                          pruned("0.003", "3 of 4 by lm.bits_per_byte@length=64 at the rung 2 steps; the first 2"),
                          pruned("0.004", "4 of 4 by lm.bits_per_byte@length=64 at the rung 2 steps; the first 2"),
                          HasSubstr("Running 3 of 3 runs up to the rung 3 steps"),
                          pruned("0.001", "2 of 2 by lm.bits_per_byte@length=64 at the rung 3 steps; the first 1"),
                          HasSubstr("2 done, 3 pruned.")));
  ASSERT_EQ(call("status rungs"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("rungs: 2 done, 0 running, 0 failed, 0 queued, 3 pruned\n"));
}

}  // namespace
}  // namespace assay::cli
