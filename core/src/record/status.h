// How a run stands, in one word.
#pragma once

#include <optional>
#include <string_view>

namespace assay::record {

// Paused: at a rung, or at --until. Stale: done, by other code than today's; state.json never says so.
enum class RunStatus { kDone, kRunning, kFailed, kPreempted, kCancelled, kPruned, kQueued, kPaused, kStale };

// "done", as in state.json and in what verbs print.
const char* name_of(RunStatus status);
std::optional<RunStatus> status_of_name(std::string_view name);

}  // namespace assay::record
