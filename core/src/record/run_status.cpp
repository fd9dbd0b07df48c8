#include "record/run_status.h"

#include <map>
#include <string_view>

#include "base/lock.h"
#include "record/plan_lines.h"
#include "record/state.h"

namespace assay::record {

const char* name_of(Standing standing) {
  switch (standing) {
    case Standing::kDone:
      return "done";
    case Standing::kRunning:
      return "running";
    case Standing::kFailed:
      return "failed";
    case Standing::kPreempted:
      return "preempted";
    case Standing::kCancelled:
      return "cancelled";
    case Standing::kPruned:
      return "pruned";
    case Standing::kQueued:
      break;
  }
  return "queued";
}

RunStatusNow run_status(const nlohmann::json& plan_line, const RunLayout& run) {
  static const std::map<std::string_view, Standing> kStandings{{"failed", Standing::kFailed},
                                                               {"preempted", Standing::kPreempted},
                                                               {"cancelled", Standing::kCancelled},
                                                               {"pruned", Standing::kPruned}};
  if (has_all_records(plan_line, run)) return {Standing::kDone};
  if (base::FileLock::is_held(run.lock())) return {Standing::kRunning};
  const auto state = read_state(run.state());
  const auto known = kStandings.find(state ? std::string_view(state->status) : std::string_view());
  if (known == kStandings.end()) return {};
  return {known->second, state->reason, state->failure_class};
}

}  // namespace assay::record
