#include "study/metric_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/nearest.h"
#include "record/metric_name.h"

namespace assay::study {
namespace {

// Why the runs of a line have no value of this metric at this step; empty when they have one.
std::string why_no_value(const record::PlanLine& line, const std::string& owner, std::int64_t step) {
  const auto steps = line.steps();
  if (step > steps) return fmt::format("runs end at step {}", steps);
  if (step == steps) return "";
  if (owner == "train") {
    const auto every = line.log_every;
    return step == 1 || step % every == 0 ? "" : fmt::format("runs log every {} steps ([log] every)", every);
  }
  for (const auto& evaluation : line.evaluate) {
    if (evaluation.label != owner) continue;
    const auto every = evaluation.every;
    if (every == 0) return "it is evaluated only at the end; set 'every' of its [[evaluate]]";
    return step % every == 0 ? "" : fmt::format("it is evaluated every {} steps", every);
  }
  return "";
}

}  // namespace

void check_metric_is_given(const MetricName& metric, bool whole,
                           const std::map<std::string, std::vector<std::string>>& known,
                           document::Diagnostics& diagnostics) {
  const auto owner = record::owner_of(metric.name);
  const auto found = known.find(owner);
  if (found == known.end()) return;
  const auto name = record::split_step(metric.name).metric;
  const auto& names = found->second;
  const bool is_given = std::any_of(names.begin(), names.end(), [&](const std::string& one) {
    return one == name || (!whole && one.substr(0, one.find('@')) == name);
  });
  if (!is_given)
    diagnostics.add(metric.position, fmt::format("metric '{}' is not reported by '{}'{}", metric.name, owner,
                                                 base::suggestion(name, names, "its metrics are ")));
}

void check_metric(const MetricName& metric, const std::vector<record::PlanLine>& lines,
                  document::Diagnostics& diagnostics) {
  const auto owner = record::owner_of(metric.name);
  if (owner.size() == metric.name.size()) {
    diagnostics.add(metric.position, fmt::format("metric '{}' must have the form <evaluator>.<name> or train.<name>, "
                                                 "for instance lm.bits_per_byte@length=64",
                                                 metric.name));
    return;
  }
  std::vector<std::string> owners;
  for (const auto& line : lines)
    for (const auto& evaluation : line.evaluate)
      if (std::find(owners.begin(), owners.end(), evaluation.label) == owners.end()) owners.push_back(evaluation.label);
  owners.push_back("train");
  if (std::find(owners.begin(), owners.end(), owner) == owners.end()) {
    diagnostics.add(metric.position, fmt::format("metric '{}': no [[evaluate]] is labelled '{}'{}", metric.name, owner,
                                                 base::suggestion(owner, owners, "available: ")));
    return;
  }
  const auto step = record::split_step(metric.name).step;
  if (!step) return;
  for (const auto& line : lines)
    if (const auto why = why_no_value(line, owner, *step); !why.empty()) {
      diagnostics.add(metric.position, fmt::format("metric '{}' has no value at step {}: {}", metric.name, *step, why));
      return;
    }
}

void check_axes(const std::vector<std::string>& axes, const std::string& what, const document::Position& position,
                const std::vector<record::PlanLine>& lines, const std::vector<document::KeyPath>& narrowed,
                document::Diagnostics& diagnostics) {
  std::set<std::string> known;
  for (const auto& path : narrowed) known.insert(document::short_name(path));
  for (const auto& line : lines)
    for (const auto& [axis, value] : line.axes.items()) known.insert(axis);
  const std::vector<std::string> names(known.begin(), known.end());
  for (const auto& axis : axes)
    if (!known.contains(axis))
      diagnostics.add(position, fmt::format("{} '{}' is not an axis{}", what, axis,
                                            base::suggestion(axis, names, "the axes are ")));
}

}  // namespace assay::study
