// The status of a run, as a word.
#pragma once

#include <optional>
#include <string_view>

namespace assay::record {

// Paused: at a rung of pruning, or at --until. Stale: done, but by other code than the code at hand; never in
// state.json.
enum class RunStatus { kDone, kRunning, kFailed, kPreempted, kCancelled, kPruned, kQueued, kPaused, kStale };

// "done", as in state.json and in what verbs print.
const char* name_of(RunStatus status);
std::optional<RunStatus> status_of_name(std::string_view name);

}  // namespace assay::record
