#include "compare/table/tune.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "assay/error.h"
#include "compare/statistics/statistics.h"

namespace assay::compare {
namespace {

using nlohmann::json;

// The mean of the metric over the seeds that choose; nothing if one of them has no finite value.
std::optional<double> selecting_mean(const Group& group, const study::CompareSettings& settings) {
  std::vector<double> values;
  for (const auto* run : group) {
    if (settings.report && !settings.report->seeds.empty() && is_reported(run->seed, settings.report->seeds)) continue;
    const auto found = run->values.find(settings.tune->by.name);
    if (found == run->values.end() || !std::isfinite(found->second.value)) return std::nullopt;
    values.push_back(found->second.value);
  }
  if (values.empty()) return std::nullopt;
  return summarise(values).mean;
}

bool has_ended(const Group& group) {
  return std::all_of(group.begin(), group.end(), [](const RunResult* run) {
    return presence_of(*run) != Presence::kPending && presence_of(*run) != Presence::kFailed;
  });
}

json axis_value(const record::PlanLine& line, const std::string& axis) { return line.axes.value(axis, json()); }

// Whether the choice is the smallest or largest of the tried numbers.
bool is_edge(const std::vector<const record::PlanLine*>& lines, const std::vector<std::size_t>& trials,
             std::size_t chosen, const std::string& axis) {
  std::set<double> tried;
  for (const auto trial : trials) {
    const auto value = axis_value(*lines[trial], axis);
    if (!value.is_number()) return false;
    tried.insert(value.get<double>());
  }
  const double value = axis_value(*lines[chosen], axis).get<double>();
  return tried.size() > 1 && (value == *tried.begin() || value == *tried.rbegin());
}

}  // namespace

std::vector<TunedRow> tuned_rows(const std::vector<Group>& groups, const study::Partners& partners,
                                 const std::vector<std::size_t>& rows, const study::CompareSettings& settings,
                                 const std::string& direction) {
  study::Partners::Free tuned;
  for (const auto& key : settings.tune->over) tuned.push_back(key.name);
  std::vector<TunedRow> found;
  for (const auto& family : partners.families(rows, tuned)) {
    TunedRow row;
    row.trials = family;
    std::optional<double> best;
    for (const auto trial : family) {
      row.open += !has_ended(groups[trial]);
      const auto mean = selecting_mean(groups[trial], settings);
      if (!mean) continue;
      if (direction == "none")
        throw UserError(settings.tune->by.position.text() + ": tune by " + settings.tune->by.name +
                        ": the metric has no better direction, so no trial is the best; choose another metric");
      ++row.trials_with_values;
      if (best && (direction == "higher" ? *mean <= *best : *mean >= *best)) continue;
      best = mean;
      row.chosen = trial;
    }
    for (const auto& axis : tuned) {
      if (!row.chosen) break;
      const auto value = axis_value(*partners.rows()[*row.chosen], axis);
      if (value.is_null()) continue;
      row.choice += (row.choice.empty() ? "" : " ") + axis + "=" + record::scalar_text(value);
      if (is_edge(partners.rows(), family, *row.chosen, axis)) row.edges.push_back(axis);
    }
    found.push_back(std::move(row));
  }
  return found;
}

std::string direction_of(const Results& results, const std::string& metric) {
  for (const auto* known : {&results.evaluation, &results.training})
    for (const auto& one : *known)
      if (one.name == metric) return one.direction;
  if (metric == "train.tokens_per_second") return "higher";
  return metric == "train.seconds" ? "lower" : "none";
}

}  // namespace assay::compare
