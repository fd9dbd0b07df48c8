// The outcome of one worker, and the state file and message that follow from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/process.h"
#include "launch/job.h"
#include "record/events.h"
#include "record/state.h"

namespace assay::launch {

// What a worker was asked for before it ended.
enum class StopRequest { kNone, kCancel, kPreempt, kTimeout };

struct Timeout {
  std::string length;   // "8s"
  bool killed = false;  // the launcher killed the worker, which did not stop on request
};

struct Ending {
  // Running: another process has the run.
  record::RunStatus status = record::RunStatus::kDone;
  std::string reason;                  // one line; empty when done
  std::string failure_class;           // set for a failure
  std::vector<std::string> log_lines;  // the last lines that this worker wrote
  std::string state_error = {};        // why state.json could not be written; empty if it was
  bool killed = false;                 // ended by a signal
};

// The number of processes that this machine's kernel has killed for lack of memory: the value of oom_kill in the text
// of /proc/vmstat; 0 if there is none.
std::uint64_t oom_kills(std::string_view vmstat);

// Hook files (record/hook_file.h), each with the time when its process began to write it.
using HookFiles = std::set<std::pair<std::filesystem::path, std::filesystem::file_time_type>>;

// Where a run's files ended when its worker started; earlier content belongs to another attempt.
struct FilesBeforeAttempt {
  explicit FilesBeforeAttempt(const record::RunLayout& run);
  std::uintmax_t log_size = 0;
  record::EventTail events;
  std::optional<record::State> state;
  std::uint64_t oom_kills = 0;
  HookFiles hooks;  // left by earlier attempts that were killed
};

// Judges an ended worker and writes the result to state.json. A state that the worker wrote itself is kept. A worker
// that died without a message gets the status failed, or the one it was requested to stop with, and the hooks that it
// died in are named. timeout: used with StopRequest::kTimeout.
Ending record_ending(const Job& job, const base::ExitStatus& status, pid_t worker, bool has_records,
                     StopRequest stop_request, FilesBeforeAttempt& before, const Timeout& timeout = {});

// Whether another attempt may succeed: the process was killed (also by the kernel, for lack of memory), was lost with
// its machine, or exceeded its time limit. Failures caused by a plugin, a user or arithmetic are repeatable.
bool may_succeed_on_retry(const Ending& ending);

}  // namespace assay::launch
