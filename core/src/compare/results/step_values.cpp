#include "compare/results/step_values.h"

#include <algorithm>

#include "record/events.h"
#include "record/metric.h"
#include "record/metric_name.h"

namespace assay::compare {
namespace {

using nlohmann::json;

struct Wanted {
  std::string full, owner, metric;  // metric: the name without the step
  std::int64_t step = 0;
};

// The loss of a training step, or a metric that an objective logged.
std::optional<double> training_value(const json& event, const std::string& metric) {
  if (event.value("type", "") != "step") return std::nullopt;
  const auto name = metric.substr(metric.find('.') + 1);
  if (name == "loss" && event.contains("loss")) return record::number_or_nan(event["loss"]);
  const auto metrics = event.value("metrics", json::object());
  return metrics.contains(name) ? std::optional(record::number_or_nan(metrics[name])) : std::nullopt;
}

const json* evaluated_metric(const json& event, const Wanted& wanted) {
  if (event.value("type", "") != "evaluate" || event.value("label", "") != wanted.owner || !event.contains("metrics"))
    return nullptr;
  for (const auto& metric : event["metrics"])
    if (record::metric_name(wanted.owner, metric) == wanted.metric) return &metric;
  return nullptr;
}

void take(const json& event, const Wanted& wanted, RunResult& run, Results& results) {
  if (event.value("step", std::int64_t{-1}) != wanted.step) return;
  const auto trained = run.values.find("train.steps");  // stale if the training is
  const bool stale = trained != run.values.end() && trained->second.stale;
  if (wanted.owner == "train") {
    if (const auto value = training_value(event, wanted.metric))
      run.values[wanted.full] = {.value = *value, .stale = stale};
    return;
  }
  const auto* metric = evaluated_metric(event, wanted);
  if (!metric) return;
  if (record::is_applicable(*metric))
    run.values[wanted.full] = {.value = record::number_or_nan(metric->value("value", json())), .stale = stale};
  auto& known = results.evaluation;
  if (std::none_of(known.begin(), known.end(), [&](const MetricInfo& one) { return one.name == wanted.full; }))
    known.push_back({wanted.full, metric->value("unit", ""), metric->value("direction", "none")});
}

}  // namespace

void add_step_values(Results& results, const std::vector<std::string>& metrics) {
  std::vector<Wanted> wanted;
  for (const auto& name : metrics)
    if (const auto [metric, step] = record::split_step(name); step)
      wanted.push_back({name, record::owner_of(metric), metric, *step});
  if (wanted.empty()) return;
  for (const auto& one : wanted)
    if (one.owner == "train") {
      const auto at_the_end = std::find_if(results.training.begin(), results.training.end(),
                                           [&](const MetricInfo& known) { return known.name == one.metric; });
      auto info = at_the_end == results.training.end() ? MetricInfo{"", "", "none"} : *at_the_end;
      info.name = one.full;
      results.training.push_back(std::move(info));
    }
  for (auto& run : results.runs)
    for (const auto& event : record::read_events(run.files.events()))
      for (const auto& one : wanted) take(event, one, run, results);
}

}  // namespace assay::compare
