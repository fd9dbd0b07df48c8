#include "launch/job.h"

#include <fmt/format.h>

#include "base/printable.h"

namespace assay::launch {

Job job_of(const record::PlanLine& plan_line, const record::ExperimentLayout& experiment) {
  const auto label = base::printable(plan_line.label);
  std::vector<PlannedEvaluation> evaluations;
  for (const auto& entry : plan_line.evaluate) evaluations.push_back({entry.id, entry.label, entry.every});
  return {.train_id = plan_line.train_id,
          .name = fmt::format("{}{}seed={}", label, label.empty() ? "" : " ", plan_line.seed),
          .run = experiment.run(plan_line.train_id),
          .threads = plan_line.resources.threads,
          .cores = plan_line.resources.cores(),
          .steps = plan_line.steps(),
          .evaluations = std::move(evaluations)};
}

}  // namespace assay::launch
