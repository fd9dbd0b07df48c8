// The reported reason of a worker that died without a message.
#include "launch/outcome.h"

#include <gtest/gtest.h>

#include <csignal>

#include "base/files.h"
#include "record/hook_file.h"
#include "unit/temporary_folder.h"

namespace assay::launch {
namespace {

class DeadWorker : public ::testing::Test {
 protected:
  Ending recorded_ending(const base::ExitStatus& status, FilesBeforeAttempt& before,
                         StopRequest stop_request = StopRequest::kNone, bool killed = true) {
    return record_ending(job_, status, 1, /*has_records=*/false, stop_request, before, {"8s", killed});
  }
  testing::TemporaryFolder folder_;
  Job job_{.train_id = "t", .name = "t", .run = record::RunLayout(folder_.path())};
};

TEST_F(DeadWorker, WasInTheHooksOfItsThreads) {
  const std::string p = "plugin 'p', component 'c', hook 'forward'", q = "plugin 'q', component 'd', hook 'rotate'";
  const auto ended = [&](const base::ExitStatus& status, bool second, StopRequest stop_request = StopRequest::kNone) {
    FilesBeforeAttempt before(job_.run);
    const record::HookFile hooks(job_.run.hooks());
    record::write_hook(hooks.slots(), "p", "c", "forward");
    if (second) record::write_hook(hooks.slots() + record::HookFile::kSlotBytes, "q", "d", "rotate");
    const auto ending = recorded_ending(status, before, stop_request);
    EXPECT_FALSE(std::filesystem::exists(job_.run.hooks()));
    return std::pair(ending.reason, ending.failure_class);
  };
  const base::ExitStatus zero{0, std::nullopt}, fault{std::nullopt, SIGSEGV}, killed{std::nullopt, SIGKILL};
  EXPECT_EQ(ended(zero, false), std::pair("the process ended with exit code 0; it was in " + p, std::string("plugin")));
  EXPECT_EQ(ended(zero, true),
            std::pair("the process ended with exit code 0; its threads were in " + p + " and in " + q,
                      std::string("plugin")));
  EXPECT_EQ(ended(fault, false), std::pair("killed by SIGSEGV; it was in " + p, std::string("signal")));
  EXPECT_EQ(ended(killed, false, StopRequest::kTimeout),
            std::pair("exceeded --timeout 8s; it did not stop on request and was killed; it was in " + p,
                      std::string("timeout")));
}

// Rank 0 has removed its file, because it ended with a message; the file of rank 2 is from an earlier attempt with more
// processes.
TEST_F(DeadWorker, WasInTheHooksOfAnyOfItsProcesses) {
  const auto write = [&](int process, const char* plugin) {
    std::string slots(record::HookFile::kSlots * record::HookFile::kSlotBytes, '\0');
    record::write_hook(slots.data(), plugin, "c", "forward");
    folder_.write(job_.run.hooks(process).filename().string(), slots);
  };
  write(2, "earlier");
  FilesBeforeAttempt before(job_.run);
  write(1, "p");
  const auto ending = recorded_ending({1, std::nullopt}, before);
  EXPECT_EQ(ending.reason, "the process ended with exit code 1; it was in plugin 'p', component 'c', hook 'forward'");
  EXPECT_EQ(ending.failure_class, "plugin");
  for (const int process : {1, 2}) EXPECT_FALSE(std::filesystem::exists(job_.run.hooks(process))) << process;
}

// The worker was asked to stop, and another process killed it before the launcher did.
TEST_F(DeadWorker, WasKilledByItsLauncherOnlyIfThatSentTheSignal) {
  const auto reason = [&](bool by_launcher) {
    FilesBeforeAttempt before(job_.run);
    return recorded_ending({std::nullopt, SIGKILL}, before, StopRequest::kTimeout, by_launcher).reason;
  };
  EXPECT_EQ(reason(true), "exceeded --timeout 8s; it did not stop on request and was killed");
  EXPECT_EQ(reason(false), "exceeded --timeout 8s; killed by SIGKILL (out of memory, or sent by a user)");
}

// A worker and its controller were killed, and the next worker dies before it enters any hook.
TEST_F(DeadWorker, IsNotConfusedWithAnEarlierOne) {
  std::string slots(record::HookFile::kSlots * record::HookFile::kSlotBytes, '\0');
  record::write_hook(slots.data(), "p", "c", "forward");
  folder_.write("hooks", slots);
  ASSERT_EQ(record::hooks_in(job_.run.hooks()).size(), 1u);
  FilesBeforeAttempt before(job_.run);
  const auto ending = recorded_ending({0, std::nullopt}, before);
  EXPECT_EQ(ending.reason, "the worker exited with code 0 but wrote no complete record");
  EXPECT_EQ(ending.failure_class, "bug");
}

}  // namespace
}  // namespace assay::launch
