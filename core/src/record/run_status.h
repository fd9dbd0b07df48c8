// How a planned run stands now: by its records, its lock and its state file, in this order.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "record/layout.h"

namespace assay {

enum class Standing { kDone, kRunning, kFailed, kQueued };

struct RunStatusNow {
  Standing standing = Standing::kQueued;
  std::string reason;  // of a failure, one line
};

// A run that was stopped, or whose worker was killed together with its controller, is queued again.
RunStatusNow run_status(const nlohmann::json& plan_line, const RunLayout& run);

}  // namespace assay
