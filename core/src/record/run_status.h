// How a planned run stands now: by its records, its lock and its state file, in this order.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "record/layout.h"

namespace assay::record {

enum class Standing { kDone, kRunning, kFailed, kPreempted, kCancelled, kPruned, kQueued };

const char* name_of(Standing standing);

struct RunStatusNow {
  Standing standing = Standing::kQueued;
  std::string reason = {};         // one line; empty when it runs, is done or is queued
  std::string failure_class = {};  // of a failure
};

// A run whose worker was killed together with its controller, or that waits at a rung, is queued again.
RunStatusNow run_status(const nlohmann::json& plan_line, const RunLayout& run);

}  // namespace assay::record
