// The current status of a planned run, determined from its records, its lock and its state file, in this order.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "record/layout.h"

namespace assay::record {

enum class Standing { kDone, kRunning, kFailed, kPreempted, kCancelled, kPruned, kQueued };

const char* name_of(Standing standing);

struct RunStatusNow {
  Standing standing = Standing::kQueued;
  std::string reason = {};         // one line; empty when the run is running, done or queued
  std::string failure_class = {};  // of a failed run
};

// A run whose worker was killed together with its controller, or that is paused at a rung, counts as queued.
RunStatusNow run_status(const nlohmann::json& plan_line, const RunLayout& run);

}  // namespace assay::record
