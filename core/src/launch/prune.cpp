#include "launch/prune.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "assay/error.h"
#include "base/nearest.h"
#include "record/events.h"
#include "record/metric.h"
#include "record/metric_name.h"
#include "record/state.h"
#include "record/train_record.h"

namespace assay::launch {
namespace {

using nlohmann::json;

constexpr double kDiverged = std::numeric_limits<double>::infinity();

struct GroupValue {
  std::string group;
  double mean = 0;
};

// Thrown while a run has not reached the rung.
struct RunPending {};

// The error if a run was evaluated at a step and lacks only this metric; otherwise empty.
std::string fault_of_metric(const record::RunLayout& run, const std::string& metric, std::int64_t step) {
  std::vector<std::string> names;
  for (const auto& event : record::read_events(run.events()))
    if (event["type"] == "evaluate" && event["step"] == step && event.value("label", "") == record::owner_of(metric))
      for (const auto& one : event.value("metrics", json::array()))
        names.push_back(record::metric_name(event.value("label", ""), one));
  const bool is_there = std::find(names.begin(), names.end(), metric) != names.end();  // an n/a value counts
  if (names.empty() || is_there) return "";
  return fmt::format("[prune] metric '{}' is not among the metrics evaluated at step {} ({}){}", metric, step,
                     run.events().string(), base::suggestion(metric, names, "metrics are "));
}

// Nothing if the group cannot be judged. Throws RunPending while a run has not reached the rung. `fault`: the error of
// the first run without the metric.
std::optional<double> mean_of(const std::vector<const record::PlanLine*>& lines,
                              const record::ExperimentLayout& experiment, const Pruning& pruning, size_t rung,
                              std::string& fault) {
  double sum = 0;
  for (const auto* line : lines) {
    const auto run = experiment.run(line->train_id);
    const auto step = study::rung_step(pruning.settings, rung, *line);
    if (has_reached(*line, run, step)) {
      const auto value = value_at(run, pruning.settings.metric, step);
      if (!value) {  // an older run, a model without this metric, or a wrong metric
        if (fault.empty()) fault = fault_of_metric(run, pruning.settings.metric, step);
        return std::nullopt;
      }
      sum += *value;
      continue;
    }
    const auto state = record::read_state(run.state());
    if (!state || state->status != record::RunStatus::kFailed) throw RunPending();
    if (state->failure_class != "non_finite") return std::nullopt;
    sum = kDiverged;
  }
  return sum / static_cast<double>(lines.size());
}

// Whether the evaluations that are due at a step have been made.
bool is_evaluated(const record::PlanLine& plan_line, const record::RunLayout& run, std::int64_t step) {
  std::set<std::string> missing;
  for (const auto& entry : plan_line.evaluate)
    if (entry.every > 0 && step % entry.every == 0) missing.insert(entry.label);
  if (missing.empty()) return true;
  for (const auto& event : record::read_events(run.events()))
    if (event["type"] == "evaluate" && event.value("step", std::int64_t{-1}) == step)
      missing.erase(event.value("label", ""));
  return missing.empty();
}

}  // namespace

bool has_reached(const record::PlanLine& plan_line, const record::RunLayout& run, std::int64_t step) {
  if (record::has_record(run.train_record())) return true;
  const auto saved = record::checkpoint_steps(run.checkpoints());
  if (saved.empty() || saved.front() < step) return false;
  return saved.front() > step || is_evaluated(plan_line, run, step);  // a checkpoint is written before its evaluations
}

std::optional<double> value_at(const record::RunLayout& run, const std::string& metric, std::int64_t step) {
  std::optional<double> value;
  for (const auto& event : record::read_events(run.events())) {
    if (event.value("step", std::int64_t{-1}) > step) continue;
    if (metric == "loss" && event["type"] == "step") {
      // The last value up to that step. A step that was skipped or has nothing to count has none.
      if (event.contains("loss")) value = event["loss"].is_number() ? event["loss"].get<double>() : kDiverged;
    } else if (metric == "loss" && event["type"] == "skip") {
      if (!value) value = kDiverged;  // until a step is not skipped
    } else if (event["type"] == "evaluate" && event["step"] == step) {
      for (const auto& one : event.value("metrics", json::array())) {
        if (record::metric_name(event.value("label", ""), one) != metric || !record::is_applicable(one)) continue;
        const bool higher = one.value("direction", "") == "higher";
        value = one.at("value").is_number() ? (higher ? -1 : 1) * one["value"].get<double>() : kDiverged;
      }
    }
  }
  return value;
}

RungVerdict judge(const std::vector<record::PlanLine>& plan_lines, const record::ExperimentLayout& experiment,
                  const Pruning& pruning, size_t rung) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<const record::PlanLine*>> groups;
  std::optional<sweep::Selector> baseline;
  if (pruning.baseline) baseline = sweep::resolved(*pruning.baseline, sweep::pointers_to(plan_lines));
  for (const auto& line : plan_lines) {
    if (baseline && sweep::matches(*baseline, line)) continue;
    auto& group = groups[line.group];
    if (group.empty()) order.push_back(line.group);
    group.push_back(&line);
  }
  std::vector<GroupValue> values;
  RungVerdict verdict;
  verdict.judged = true;
  try {
    std::string fault;
    for (const auto& group : order)
      if (const auto mean = mean_of(groups[group], experiment, pruning, rung, fault)) values.push_back({group, *mean});
    // Rows may be evaluated in different ways, but a metric that none of them has cannot prune.
    if (values.empty() && !fault.empty()) throw UserError(fault);
    verdict.not_judged = order.size() - values.size();
  } catch (const RunPending&) {
    return {};
  }
  // Equal values keep the order of the plan.
  std::ranges::stable_sort(values, {}, &GroupValue::mean);
  const auto kept = static_cast<size_t>(std::ceil(pruning.settings.keep * static_cast<double>(values.size()) - 1e-9));
  for (size_t i = kept; i < values.size(); ++i)
    verdict.pruned[values[i].group] =
        fmt::format("ranked {1} of {2} by {3} at the rung {0}; the first {4} continue",
                    base::text_of(pruning.settings.rungs[rung]), i + 1, values.size(), pruning.settings.metric, kept);
  return verdict;
}

}  // namespace assay::launch
