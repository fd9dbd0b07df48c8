#include "record/run_status.h"

#include "base/lock.h"
#include "record/plan_line/plan_lines.h"
#include "record/state.h"

namespace assay::record {

RunStatusReport run_status(const PlanLine& plan_line, const RunLayout& run) {
  if (has_all_records(plan_line, run)) return {RunStatus::kDone};
  if (base::FileLock::is_held(run.lock())) return {RunStatus::kRunning};
  const auto state = read_state(run.state());
  if (!state) return {};
  switch (state->status) {
    case RunStatus::kFailed:
    case RunStatus::kPreempted:
    case RunStatus::kCancelled:
    case RunStatus::kPruned:
      return {state->status, state->reason, state->failure_class};
    default:
      return {};
  }
}

}  // namespace assay::record
