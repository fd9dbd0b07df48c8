// What became of one worker, and the state file and message that follow from it.
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

enum class Outcome { kDone, kFailed, kCancelled, kPreempted, kPaused, kElsewhere };

// What a worker was asked for before it ended.
enum class Asked { kNothing, kCancel, kPreempt, kTimeout };

struct Timeout {
  std::string length;   // "8s"
  bool killed = false;  // the launcher has killed the worker, which did not stop when it was asked to
};

struct Ending {
  Outcome outcome = Outcome::kDone;
  std::string reason;                  // one line; empty when done
  std::string failure_class;           // of a failure
  std::vector<std::string> log_lines;  // the last ones this worker wrote
  std::string untold = {};             // why state.json does not say it; empty when it does
  bool killed = false;                 // by a signal
};

// Processes that this machine's kernel has killed for want of memory so far: the line of that name in the text of
// /proc/vmstat; 0 without it.
std::uint64_t oom_kills(std::string_view vmstat);

// Files of hooks (record/hook_file.h), each with the time when its process began to write it.
using HookFiles = std::set<std::pair<std::filesystem::path, std::filesystem::file_time_type>>;

// Where a run's files ended when its worker started: what came before is another attempt's.
struct Before {
  explicit Before(const record::RunLayout& run);
  std::uintmax_t log_size = 0;
  record::EventTail events;
  std::optional<record::State> state;
  std::uint64_t oom_kills = 0;
  HookFiles hooks;  // of earlier attempts that were killed
};

// Judges an ended worker and makes state.json say the same. What the worker wrote itself stands; one that died without
// a message gets a state of failed, or of what it was asked for, and the hooks that it died in are named. timeout: of
// Asked::kTimeout.
Ending settle(const Job& job, const base::ExitStatus& status, pid_t worker, bool has_records, Asked asked,
              Before& before, const Timeout& timeout = {});

// Whether another try may end otherwise: the process was killed (also by the kernel, for want of memory), was lost with
// its machine, or took too long. What a plugin, a user or arithmetic did happens again.
bool may_pass_again(const Ending& ending);

}  // namespace assay::launch
