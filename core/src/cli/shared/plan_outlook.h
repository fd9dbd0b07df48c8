// What a plan comes to: what of it is done already, what the rest costs, and what its comparisons can show.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace assay::cli {

struct RunOutlook {
  std::string status;             // done, stale, running, failed, preempted, cancelled, queued
  double six_nd = 0;              // FLOPs of its training: 6 x parameters x tokens; 0 where the model was not measured
  std::optional<double> seconds;  // from earlier runs of this machine
};

struct PlanOutlook {
  std::vector<RunOutlook> runs;          // one a line of the plan
  std::map<std::string, size_t> counts;  // by status
  size_t orphans = 0;                    // runs in the folder that are not in the plan
  size_t earlier = 0;                    // runs of this machine that times were estimated from
};
PlanOutlook outlook_of(const plan::Plan& plan);

// Sentences on how small a difference so many seeds can show; none where nothing is compared.
std::vector<std::string> power_notes(const plan::Plan& plan);

}  // namespace assay::cli
