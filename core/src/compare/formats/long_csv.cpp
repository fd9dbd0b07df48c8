#include "compare/formats/long_csv.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "compare/formats/csv.h"
#include "record/events.h"
#include "record/metric.h"

namespace assay::compare {
namespace {

using nlohmann::json;
using Fields = std::vector<std::string>;

Fields axes_of(const Results& results) {
  std::set<std::string> axes;
  for (const auto& run : results.runs)
    for (const auto& [axis, value] : run.axes) axes.insert(axis);
  return {axes.begin(), axes.end()};
}

std::string header(const Fields& axes, const Fields& more) {
  Fields fields{"label"};
  fields.insert(fields.end(), axes.begin(), axes.end());
  fields.insert(fields.end(), {"seed", "train_id"});
  fields.insert(fields.end(), more.begin(), more.end());
  return csv_line(fields);
}

// R accepts only this spelling of NaN.
std::string number_text(double value) { return std::isnan(value) ? "NaN" : fmt::format("{}", value); }

std::string line(const RunResult& run, const Fields& axes, const Fields& more) {
  Fields fields{run.label};
  for (const auto& axis : axes) fields.push_back(run.axes.count(axis) ? run.axes.at(axis) : "");
  fields.push_back(fmt::format("{}", run.seed));
  fields.push_back(run.line.train_id);
  fields.insert(fields.end(), more.begin(), more.end());
  return csv_line(fields);
}

MetricInfo info_of(const Results& results, const std::string& name) {
  for (const auto* known : {&results.evaluation, &results.training})
    for (const auto& metric : *known)
      if (metric.name == name) return metric;
  return {name, "", ""};  // the name is a count or a measurement
}

// Every number of an event, under its name in tables.
std::vector<std::pair<std::string, double>> numbers_of(const json& event) {
  std::vector<std::pair<std::string, double>> numbers;
  const auto add = [&](const std::string& name, const json& value) {
    if (value.is_number() || value.is_string()) numbers.emplace_back(name, record::number_or_nan(value));
  };
  if (event["type"] == "step") {
    for (const char* name : {"loss", "lr", "grad_norm", "tokens"})
      add(std::string("train.") + name, event.value(name, json()));
    const auto metrics = event.value("metrics", json::object());
    for (const auto& [name, value] : metrics.items()) add("train." + name, value);
    add("train.tokens_per_second", event.value("/measured/tokens_per_second"_json_pointer, json()));
  } else if (event["type"] == "evaluate") {
    for (const auto& metric : event.value("metrics", json::array()))
      add(record::metric_name(event.value("label", std::string()), metric), metric.value("value", json()));
  }
  return numbers;
}

}  // namespace

std::string metrics_csv(const Results& results) {
  const auto axes = axes_of(results);
  auto text = header(axes, {"metric", "value", "unit", "direction", "stale"});
  for (const auto& run : results.runs)
    for (const auto& [name, value] : run.values) {
      const auto info = info_of(results, name);
      text += line(run, axes, {name, number_text(value.value), info.unit, info.direction, value.stale ? "1" : "0"});
    }
  return text;
}

std::string curves_csv(const Results& results, const record::ExperimentLayout& experiment) {
  const auto axes = axes_of(results);
  auto text = header(axes, {"step", "metric", "value"});
  for (const auto& run : results.runs)
    for (const auto& event : record::read_events(experiment.run(run.line.train_id).events()))
      for (const auto& [name, value] : numbers_of(event))
        text += line(run, axes, {fmt::format("{}", event.value("step", std::int64_t{0})), name, number_text(value)});
  return text;
}

}  // namespace assay::compare
