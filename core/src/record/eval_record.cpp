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

nlohmann::json eval_record(const nlohmann::json& plan_line, const nlohmann::json& evaluation,
                           const EvalResult& result) {
  return {
      {"schema", 1},
      {"eval_id", evaluation.at("id")},
      {"train_id", plan_line.at("train_id")},
      {"group", plan_line.at("group")},
      {"label", evaluation.at("label")},
      {"seed", plan_line.at("seed")},
      {"config", evaluation.at("config")},
      {"split", evaluation.at("split")},
      {"step", result.step},
      {"metrics", to_json(result.metrics)},
      {"examples", to_json(result.examples)},
      {"code", {{"evaluator", evaluation_plugins(plan_line, evaluation.at("config"))}, {"library", result.library}}},
      {"measured",
       {{"seconds", result.seconds},
        {"started", result.started},
        {"host", host_name()},
        {"concurrent_jobs", concurrent_jobs()}}},
  };
}

}  // namespace assay::record
