#include "plan/smoke.h"

#include <algorithm>
#include <set>

#include "plan/identity.h"

namespace assay::plan {
namespace {

constexpr int64_t kSteps = 20;

// 0 means never and stays 0.
int64_t scaled(int64_t every, int64_t steps, int64_t whole) {
  return every == 0 || whole == 0 ? every : std::max<int64_t>(1, every * steps / whole);
}

void shorten(record::PlanLine& line) {
  const auto whole = line.steps(), steps = std::min<int64_t>(kSteps, whole);
  line.train.train.steps = steps;
  // Intermediate checkpoints and evaluations also happen in the short run.
  line.checkpoint.every = scaled(line.checkpoint.every, steps, whole);
  for (auto& evaluation : line.evaluate) evaluation.every = scaled(evaluation.every, steps, whole);
  const auto train = line.train.to_json();
  line.train_id = train_id(train);
  line.group = group_id(train);
  for (auto& evaluation : line.evaluate) evaluation.id = eval_id(line.train_id, evaluation.config, evaluation.split);
}

}  // namespace

Plan smoke_of(Plan plan) {
  std::set<std::string> groups, ids;
  std::erase_if(plan.lines, [&](const auto& line) { return !groups.insert(line.group).second; });
  for (auto& line : plan.lines) shorten(line);
  // Lines that differ only in their number of steps are now the same run.
  std::erase_if(plan.lines, [&](const auto& line) { return !ids.insert(line.train_id).second; });
  plan.results_folder = plan.results_folder.parent_path() / ".smoke" / plan.results_folder.filename();
  return plan;
}

}  // namespace assay::plan
