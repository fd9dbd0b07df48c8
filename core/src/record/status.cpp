#include "record/status.h"

namespace assay::record {

const char* name_of(RunStatus status) {
  switch (status) {
    case RunStatus::kDone:
      return "done";
    case RunStatus::kRunning:
      return "running";
    case RunStatus::kFailed:
      return "failed";
    case RunStatus::kPreempted:
      return "preempted";
    case RunStatus::kCancelled:
      return "cancelled";
    case RunStatus::kPruned:
      return "pruned";
    case RunStatus::kPaused:
      return "paused";
    case RunStatus::kStale:
      return "stale";
    case RunStatus::kQueued:
      break;
  }
  return "queued";
}

std::optional<RunStatus> status_of_name(std::string_view name) {
  for (const auto status :
       {RunStatus::kDone, RunStatus::kRunning, RunStatus::kFailed, RunStatus::kPreempted, RunStatus::kCancelled,
        RunStatus::kPruned, RunStatus::kQueued, RunStatus::kPaused, RunStatus::kStale})
    if (name == name_of(status)) return status;
  return std::nullopt;
}

}  // namespace assay::record
