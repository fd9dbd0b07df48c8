// The outlook of a plan: which runs are done, what the others cost, and what its comparisons can show.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "record/status.h"

namespace assay::cli {

struct RunOutlook {
  record::RunStatus status = record::RunStatus::kQueued;
  double six_nd = 0;              // FLOPs of its training: 6 x parameters x tokens; 0 if the model was not measured
  std::optional<double> seconds;  // estimated from earlier runs on this machine
};

struct PlanOutlook {
  std::vector<RunOutlook> runs;          // one per line of the plan
  std::map<std::string, size_t> counts;  // by name of the status
  size_t orphans = 0;                    // runs in the folder that the plan does not contain
  size_t earlier = 0;                    // runs on this machine that the times are estimated from
};
PlanOutlook outlook_of(const plan::Plan& plan);

// Sentences on how small a difference this many seeds can show; none if nothing is compared.
std::vector<std::string> power_notes(const plan::Plan& plan);

}  // namespace assay::cli
