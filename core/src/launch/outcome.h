// What became of one worker, and the state file and message that follow from it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "launch/job.h"
#include "launch/process.h"
#include "record/events.h"
#include "record/state.h"

namespace assay {

enum class Outcome { kDone, kFailed, kCancelled, kElsewhere };

struct Ending {
  Outcome outcome = Outcome::kDone;
  std::string reason;                  // one line; empty when done
  std::string failure_class;           // of a failure
  std::vector<std::string> log_lines;  // the last ones this worker wrote
  std::string untold = {};             // why state.json does not say it; empty when it does
};

constexpr int kClaimedElsewhere = 75;  // the worker's exit code when another process holds the run's lock

// Where a run's files ended when its worker started: what came before is another attempt's.
struct Before {
  explicit Before(const RunLayout& run);
  std::uintmax_t log_size = 0;
  EventTail events;
  std::optional<State> state;
};

// Judges an ended worker and makes state.json say the same. The worker's own word stands; one that died without a word
// gets a state of failed, or of cancelled when it was asked to stop.
Ending settle(const Job& job, const ExitStatus& status, pid_t worker, bool has_records, bool asked_to_stop,
              Before& before);

}  // namespace assay
