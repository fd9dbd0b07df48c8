#include "cli/shared/plan_in_force.h"

#include "base/files.h"
#include "base/lock.h"
#include "compare/table/settings.h"
#include "plan/plan_source.h"
#include "record/layout.h"
#include "record/provenance.h"

namespace assay::cli {

void put_in_force(plan::Plan& plan) {
  const record::ExperimentLayout experiment(plan.results_folder);
  const auto git = record::git_state(std::filesystem::absolute(plan.request.file).parent_path());
  for (auto& line : plan.lines) {
    line.source.git_commit = git.commit;
    line.source.git_dirty = git.dirty;
  }
  std::filesystem::create_directories(experiment.folder());
  const auto lock = base::FileLock::lock(experiment.lock());  // other controllers may do the same at this moment
  if (const auto changes = experiment.changes(git.dirty); !git.dirty.empty() && !std::filesystem::exists(changes)) {
    std::filesystem::create_directories(changes.parent_path());
    base::write_atomically(changes, git.changes);
  }
  plan::write_plan(plan, experiment.folder());
  plan::write_plan_source(plan, experiment);
  compare::save_settings(experiment, plan.compare);
}

}  // namespace assay::cli
