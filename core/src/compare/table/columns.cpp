#include "compare/table/columns.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "assay/error.h"
#include "base/nearest.h"

namespace assay::compare {
namespace {

constexpr size_t kMaxByDefault = 12;
constexpr const char* kSkippedSteps = "train.skipped_steps";  // shown in counts and notes instead

const std::vector<Column>& fact_columns() {
  static const std::vector<Column> facts = {
      {.name = "train.parameters", .title = "parameters", .exact = true},
      {.name = "train.tokens", .title = "tokens", .exact = true},
      {.name = "train.flops", .title = "train FLOPs (6ND)", .exact = true},
      {.name = "train.flops_exact", .title = "train FLOPs (exact)", .exact = true},
      {.name = "train.seconds", .title = "seconds", .timing = true},
      {.name = "train.tokens_per_second", .title = "tokens/s", .timing = true},
      {.name = "train.peak_memory", .title = "peak MiB", .shown_factor = 1.0 / (1 << 20)},
      {.name = kSkippedSteps, .title = "skipped steps", .exact = true},
  };
  return facts;
}

Column metric_column(const MetricInfo& metric) {
  return {.name = metric.name, .title = metric.name, .unit = metric.unit, .direction = metric.direction};
}

std::vector<Column> everything(const Results& results) {
  std::vector<Column> all;
  for (const auto& metric : results.evaluation) all.push_back(metric_column(metric));
  for (const auto& metric : results.training) all.push_back(metric_column(metric));
  for (const auto& fact : fact_columns()) all.push_back(fact);
  return all;
}

bool has_values(const Results& results, const std::string& name) {
  return std::any_of(results.runs.begin(), results.runs.end(), [&](const auto& run) { return run.values.count(name); });
}

std::string base_of(const std::string& name) { return name.substr(0, name.find('@')); }

}  // namespace

bool is_timing(const std::string& metric) {
  return std::any_of(fact_columns().begin(), fact_columns().end(),
                     [&](const Column& fact) { return fact.timing && fact.name == metric; });
}

std::vector<Column> choose_columns(const Results& results, const std::vector<std::string>& metrics, bool all_columns) {
  const auto all = everything(results);
  const bool any_records =
      std::any_of(results.runs.begin(), results.runs.end(), [](const auto& run) { return !run.values.empty(); });
  std::vector<Column> chosen;
  const auto add = [&](const Column& column) {
    if (std::none_of(chosen.begin(), chosen.end(), [&](const auto& one) { return one.name == column.name; }))
      chosen.push_back(column);
  };
  for (const auto& metric : metrics) {
    bool found = false;
    for (const auto& column : all) {
      if (column.name != metric && base_of(column.name) != metric) continue;
      add(column);
      found = true;
    }
    if (found) continue;
    if (any_records) {
      std::vector<std::string> names;
      for (const auto& column : all) names.push_back(column.name);
      const auto near = base::nearest_name(metric, names);
      throw UserError(fmt::format("metric '{}' is in no record of '{}'{}; the metrics are {}", metric,
                                  results.experiment, near ? fmt::format("; did you mean '{}'?", *near) : "",
                                  fmt::join(names, ", ")));
    }
    add(metric_column({metric, "", "none"}));
  }
  if (all_columns)
    for (const auto* known : {&results.evaluation, &results.training})
      for (const auto& metric : *known) add(metric_column(metric));
  if (metrics.empty())
    for (size_t i = 0; i < std::min(kMaxByDefault, results.evaluation.size()); ++i)
      add(metric_column(results.evaluation[i]));
  for (const auto& fact : fact_columns())
    if (fact.name != kSkippedSteps && (fact.name != "train.flops_exact" || has_values(results, fact.name))) add(fact);
  return chosen;
}

}  // namespace assay::compare
