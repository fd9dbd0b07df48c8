// The current status of a planned run, determined from its records, its lock and its state file, in this order.
#pragma once

#include <string>

#include "record/layout.h"
#include "record/plan_line/plan_line.h"
#include "record/status.h"

namespace assay::record {

struct RunStatusReport {
  RunStatus status = RunStatus::kQueued;
  std::string reason = {};         // one line; empty when the run is running, done or queued
  std::string failure_class = {};  // of a failed run
};

// A run whose worker was killed together with its controller, or that is paused at a rung, counts as queued.
RunStatusReport run_status(const PlanLine& plan_line, const RunLayout& run);

}  // namespace assay::record
