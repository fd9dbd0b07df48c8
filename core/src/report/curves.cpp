#include "report/curves.h"

#include <algorithm>
#include <map>

namespace assay::report {
namespace {

using Points = std::vector<std::pair<std::int64_t, double>>;

std::vector<std::int64_t> all_steps(const std::vector<const Points*>& seeds) {
  std::vector<std::int64_t> steps;
  for (const auto* points : seeds)
    for (const auto& [step, value] : *points) steps.push_back(step);
  std::sort(steps.begin(), steps.end());
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
  return steps;
}

std::vector<std::int64_t> thinned(const std::vector<std::int64_t>& steps, std::size_t most) {
  if (steps.size() <= most) return steps;
  std::vector<std::int64_t> kept;
  for (std::size_t i = 0; i < most; ++i) kept.push_back(steps[i * (steps.size() - 1) / (most - 1)]);
  return kept;
}

Curve curve_of(std::size_t group, const std::vector<const Points*>& seeds, std::size_t most_points) {
  const auto steps = all_steps(seeds);
  Curve curve{.group = group, .logged_steps = steps.size(), .points = {}};
  for (const auto step : thinned(steps, most_points)) {
    std::vector<double> values;
    for (const auto* points : seeds) {
      const auto found = std::lower_bound(points->begin(), points->end(), step,
                                          [](const auto& point, std::int64_t wanted) { return point.first < wanted; });
      if (found != points->end() && found->first == step) values.push_back(found->second);
    }
    curve.points.push_back({step, compare::summarise(values)});
  }
  return curve;
}

}  // namespace

std::vector<CurveFamily> learning_curves(const std::vector<std::vector<const RunLog*>>& groups,
                                         std::size_t most_points) {
  std::vector<CurveFamily> families;
  std::map<std::string, std::size_t> places;
  for (std::size_t group = 0; group < groups.size(); ++group) {
    std::map<std::string, std::vector<const Points*>> seeds_of;  // metric -> one per seed
    for (const auto* log : groups[group])
      for (const auto& metric : *log) {
        if (places.try_emplace(metric.name, families.size()).second)
          families.push_back({metric.name, metric.unit, metric.direction, {}});
        seeds_of[metric.name].push_back(&metric.points);
      }
    for (const auto& [name, seeds] : seeds_of)
      families[places.at(name)].curves.push_back(curve_of(group, seeds, most_points));
  }
  std::erase_if(families, [](const CurveFamily& family) {
    return std::all_of(family.curves.begin(), family.curves.end(),
                       [](const Curve& curve) { return curve.points.size() < 2; });
  });
  return families;
}

}  // namespace assay::report
