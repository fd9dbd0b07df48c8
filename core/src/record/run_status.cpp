#include "record/run_status.h"

#include "record/lock.h"
#include "record/plan_lines.h"
#include "record/state.h"

namespace assay {

RunStatusNow run_status(const nlohmann::json& plan_line, const RunLayout& run) {
  if (has_all_records(plan_line, run)) return {Standing::kDone, ""};
  if (FileLock::is_held(run.lock())) return {Standing::kRunning, ""};
  const auto state = read_state(run.state());
  if (state && state->status == "failed") return {Standing::kFailed, state->reason};
  return {Standing::kQueued, ""};
}

}  // namespace assay
