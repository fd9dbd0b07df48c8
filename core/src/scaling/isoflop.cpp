#include "scaling/isoflop.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "scaling/parabola.h"

namespace assay::scaling {
namespace {

// Each point belongs to the nearest budget within the window.
void group_by_budgets(std::span<const Point> points, const IsoflopOptions& options, IsoflopFit& fit) {
  for (const double budget : options.budgets) fit.profiles.push_back({.flops = budget});
  for (std::size_t i = 0; i < points.size(); ++i) {
    IsoflopProfile* nearest = nullptr;
    double distance = std::log1p(options.window);
    for (auto& profile : fit.profiles)
      if (const double far = std::fabs(std::log(points[i].flops / profile.flops)); far <= distance) {
        nearest = &profile;
        distance = far;
      }
    if (nearest)
      nearest->rows.push_back(i);
    else
      fit.unused.push_back(i);
  }
}

void group_by_gaps(std::span<const Point> points, double window, IsoflopFit& fit) {
  std::vector<std::size_t> by_flops(points.size());
  std::iota(by_flops.begin(), by_flops.end(), std::size_t{0});
  std::stable_sort(by_flops.begin(), by_flops.end(),
                   [&](std::size_t one, std::size_t other) { return points[one].flops < points[other].flops; });
  double last = 0;
  for (const auto i : by_flops) {
    if (fit.profiles.empty() || points[i].flops > last * (1 + window)) fit.profiles.emplace_back();
    fit.profiles.back().rows.push_back(i);
    last = points[i].flops;
  }
  for (auto& profile : fit.profiles) {
    double mean = 0;
    for (const auto i : profile.rows) mean += std::log(points[i].flops) / static_cast<double>(profile.rows.size());
    profile.flops = std::exp(mean);
  }
}

// D of the vertex, on the line through ln D over ln N of the profile's runs.
double tokens_at(std::span<const Point> points, const IsoflopProfile& profile) {
  std::vector<std::pair<double, double>> rows;
  for (const auto row : profile.rows) rows.emplace_back(points[row].parameters, points[row].tokens);
  return fit_power_line(rows).at(profile.parameters);
}

void fit_profile(std::span<const Point> points, IsoflopProfile& profile) {
  std::stable_sort(profile.rows.begin(), profile.rows.end(), [&](std::size_t one, std::size_t other) {
    return points[one].parameters < points[other].parameters;
  });
  std::set<double> sizes;
  for (const auto i : profile.rows) sizes.insert(points[i].parameters);
  if (sizes.size() < 3) {
    profile.rejected = fmt::format("it has {} of the 3 different N that a parabola needs", sizes.size());
    return;
  }
  std::vector<double> x, losses;
  for (const auto i : profile.rows) {
    x.push_back(std::log10(points[i].parameters));
    losses.push_back(points[i].loss);
  }
  const auto parabola = fit_parabola(x, losses);
  profile.curvature = parabola.c2;
  if (!(profile.curvature > 0)) {
    profile.rejected = fmt::format("its parabola opens downwards (curvature {:.6g})", profile.curvature);
    return;
  }
  const double vertex = -parabola.c1 / (2 * parabola.c2);
  profile.parameters = std::pow(10, vertex);
  if (!std::isfinite(profile.parameters) || profile.parameters <= 0) {
    profile.rejected = fmt::format("its parabola is flat (curvature {:.6g})", profile.curvature);
    return;
  }
  profile.tokens = tokens_at(points, profile);
  profile.lowest = parabola.at(vertex);
  profile.is_outside = profile.parameters < *sizes.begin() || profile.parameters > *sizes.rbegin();
}

void fit_profiles(std::span<const Point> points, IsoflopFit& fit) {
  std::vector<std::pair<double, double>> sizes, tokens;
  for (auto& profile : fit.profiles) {
    fit_profile(points, profile);
    if (!profile.rejected.empty()) continue;
    sizes.emplace_back(profile.flops, profile.parameters);
    tokens.emplace_back(profile.flops, profile.tokens);
  }
  fit.vertices = sizes.size();
  if (fit.vertices < 2) return;
  fit.parameters = fit_power_line(sizes);
  fit.tokens = fit_power_line(tokens);
}

}  // namespace

IsoflopFit fit_isoflop(std::span<const Point> points, const IsoflopOptions& options) {
  IsoflopFit fit;
  if (options.budgets.empty())
    group_by_gaps(points, options.window, fit);
  else
    group_by_budgets(points, options, fit);
  fit_profiles(points, fit);
  return fit;
}

IsoflopFit refit(std::span<const Point> points, const IsoflopFit& fit, std::span<const std::size_t> sample) {
  std::vector<IsoflopProfile*> of_row(points.size(), nullptr);
  IsoflopFit again;
  again.profiles.resize(fit.profiles.size());
  for (std::size_t i = 0; i < fit.profiles.size(); ++i) {
    again.profiles[i].flops = fit.profiles[i].flops;
    for (const auto row : fit.profiles[i].rows) of_row[row] = &again.profiles[i];
  }
  for (const auto row : sample)
    if (of_row[row]) of_row[row]->rows.push_back(row);
  fit_profiles(points, again);
  return again;
}

}  // namespace assay::scaling
