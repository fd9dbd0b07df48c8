#include "scaling/isoflop.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

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

// Least squares on polynomials that are orthogonal over the rows: 1, u = x - mean, and v = u^2 - s u - m.
void fit_parabola(std::span<const Point> points, IsoflopProfile& profile) {
  std::stable_sort(profile.rows.begin(), profile.rows.end(), [&](std::size_t one, std::size_t other) {
    return points[one].parameters < points[other].parameters;
  });
  std::set<double> sizes;
  for (const auto i : profile.rows) sizes.insert(points[i].parameters);
  if (sizes.size() < 3) {
    profile.rejected = fmt::format("it has {} of the 3 different N that a parabola needs", sizes.size());
    return;
  }
  const auto n = static_cast<double>(profile.rows.size());
  double mean = 0, loss_mean = 0;
  for (const auto i : profile.rows) {
    mean += std::log10(points[i].parameters) / n;
    loss_mean += points[i].loss / n;
  }
  double squares = 0, cubes = 0;
  for (const auto i : profile.rows) {
    const double u = std::log10(points[i].parameters) - mean;
    squares += u * u;
    cubes += u * u * u;
  }
  const double s = cubes / squares, m = squares / n;
  double by_u = 0, by_v = 0, v_squares = 0;
  for (const auto i : profile.rows) {
    const double u = std::log10(points[i].parameters) - mean, v = u * u - s * u - m;
    by_u += u * points[i].loss / squares;
    by_v += v * points[i].loss;
    v_squares += v * v;
  }
  // loss = loss_mean + by_u u + curvature v
  profile.curvature = by_v / v_squares;
  if (!(profile.curvature > 0)) {
    profile.rejected = fmt::format("its parabola opens downwards (curvature {:.6g})", profile.curvature);
    return;
  }
  const double slope = by_u - profile.curvature * s, vertex = -slope / (2 * profile.curvature);
  profile.parameters = std::pow(10, mean + vertex);
  if (!std::isfinite(profile.parameters) || profile.parameters <= 0) {
    profile.rejected = fmt::format("its parabola is flat (curvature {:.6g})", profile.curvature);
    return;
  }
  profile.lowest = loss_mean - profile.curvature * m - profile.curvature * vertex * vertex;
  profile.is_outside = profile.parameters < *sizes.begin() || profile.parameters > *sizes.rbegin();
}

void fit_profiles(std::span<const Point> points, IsoflopFit& fit) {
  std::vector<std::pair<double, double>> sizes, tokens;
  for (auto& profile : fit.profiles) {
    fit_parabola(points, profile);
    if (!profile.rejected.empty()) continue;
    sizes.emplace_back(profile.flops, profile.parameters);
    tokens.emplace_back(profile.flops, profile.flops / (6 * profile.parameters));
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
