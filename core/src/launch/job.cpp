#include "launch/job.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "record/plan_lines.h"

namespace assay::launch {

Job job_of(const nlohmann::json& plan_line, const record::ExperimentLayout& experiment) {
  const std::string id = plan_line.at("train_id");
  const auto label = base::printable(plan_line.value("label", std::string()));
  const auto train = plan_line.value("/train/train"_json_pointer, nlohmann::json::object());
  std::vector<PlannedEvaluation> evaluations;
  for (const auto& entry : plan_line.value("evaluate", nlohmann::json::array()))
    evaluations.push_back({entry.value("id", ""), entry.value("label", ""), entry.value("every", std::int64_t{0})});
  return {.train_id = id,
          .name = fmt::format("{}{}seed={}", label, label.empty() ? "" : " ", plan_line.value("seed", 0)),
          .run = experiment.run(id),
          .threads = plan_line.value("/resources/threads"_json_pointer, 1),
          .cores = record::cores_of(plan_line),
          .steps = train.value("steps", std::int64_t{0}),
          .evaluations = std::move(evaluations)};
}

}  // namespace assay::launch
