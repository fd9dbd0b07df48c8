#include "record/eval_record.h"

#include <nlohmann/json.hpp>

#include "record/code.h"
#include "record/provenance.h"

namespace assay::record {
namespace {

nlohmann::json to_json(const std::vector<RecordedExample>& examples) {
  auto list = nlohmann::json::array();
  for (const auto& [id, numbers, texts] : examples) {
    nlohmann::json row = {{"id", id}, {"numbers", numbers}};
    if (!texts.empty()) row["texts"] = texts;
    list.push_back(std::move(row));
  }
  return list;
}

}  // namespace

nlohmann::json eval_record(const PlanLine& plan_line, const PlannedEvaluation& evaluation, const EvalResult& result) {
  return {
      {"schema", 1},
      {"eval_id", evaluation.id},
      {"train_id", plan_line.train_id},
      {"group", plan_line.group},
      {"label", evaluation.label},
      {"seed", plan_line.seed},
      {"config", evaluation.config},
      {"split", evaluation.split},
      {"step", result.step},
      {"metrics", to_json(result.metrics)},
      {"examples", to_json(result.examples)},
      {"code", {{"evaluator", evaluation_plugins(plan_line, evaluation.config)}, {"library", result.library}}},
      {"measured",
       {{"seconds", result.seconds},
        {"started", result.started},
        {"host", host_name()},
        {"concurrent_jobs", concurrent_jobs()}}},
  };
}

}  // namespace assay::record
