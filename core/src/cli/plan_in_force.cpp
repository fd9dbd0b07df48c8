#include "cli/plan_in_force.h"

#include "compare/settings.h"
#include "config/plan_source.h"
#include "record/files.h"
#include "record/layout.h"
#include "record/lock.h"
#include "record/provenance.h"

namespace assay::cli {

void put_in_force(config::Plan& plan) {
  const ExperimentLayout experiment(plan.results_folder);
  const auto git = git_state(std::filesystem::absolute(plan.request.file).parent_path());
  for (auto& line : plan.lines) line["source"].update({{"git_commit", git.commit}, {"git_dirty", git.dirty}});
  std::filesystem::create_directories(experiment.folder());
  const auto lock = FileLock::lock(experiment.lock());  // other controllers may be about to do the same
  if (const auto changes = experiment.changes(git.dirty); !git.dirty.empty() && !std::filesystem::exists(changes)) {
    std::filesystem::create_directories(changes.parent_path());
    write_atomically(changes, git.changes);
  }
  config::write_plan(plan, experiment.folder());
  config::write_plan_source(plan, experiment);
  save_settings(experiment, plan.compare);
}

}  // namespace assay::cli
