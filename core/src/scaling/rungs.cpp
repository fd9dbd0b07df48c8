#include "scaling/rungs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "scaling/points.h"

namespace assay::scaling {
namespace {

// What a budget holds of one group.
struct Side {
  std::map<std::int64_t, std::vector<Point>> of_seed;
  double log_flops = 0;
  std::size_t runs = 0;
  void add(const Point& point) {
    of_seed[point.seed].push_back(point);
    log_flops += std::log(point.flops);
    ++runs;
  }
  double flops() const { return std::exp(log_flops / static_cast<double>(runs)); }
};

// The lowest loss of a seed at a budget, and whether it is that of an inner vertex.
struct Lowest {
  double loss = 0;
  bool is_vertex = false;
};
Lowest lowest_of(const std::vector<Point>& points) {
  // One profile, however wide its runs are.
  const auto fit = fit_isoflop(points, {.window = std::numeric_limits<double>::infinity()});
  const auto& profile = fit.profiles.front();
  if (profile.rejected.empty() && !profile.is_outside) return {profile.lowest, true};
  const auto lowest = std::min_element(points.begin(), points.end(),
                                       [](const Point& one, const Point& other) { return one.loss < other.loss; });
  return {lowest->loss, false};
}

}  // namespace

std::vector<Rung> rungs_of(const std::vector<Point>& variant, const std::vector<Point>& baseline,
                           const IsoflopOptions& options, std::vector<std::string>* left_out) {
  auto all = variant;
  all.insert(all.end(), baseline.begin(), baseline.end());
  std::vector<Rung> rungs, with_vertices;
  std::vector<std::string> lone, without_vertices;
  for (const auto& profile : fit_isoflop(all, options).profiles) {
    Side of_variant, of_baseline;
    for (const auto row : profile.rows) (row < variant.size() ? of_variant : of_baseline).add(all[row]);
    Rung rung{.seeds = {}, .variant = {}, .baseline = {}};
    bool has_vertices = true;
    for (const auto& [seed, points] : of_variant.of_seed) {
      const auto partner = of_baseline.of_seed.find(seed);
      if (partner == of_baseline.of_seed.end()) continue;
      const auto one = lowest_of(points), other = lowest_of(partner->second);
      rung.seeds.push_back(seed);
      rung.variant.push_back(one.loss);
      rung.baseline.push_back(other.loss);
      has_vertices &= one.is_vertex && other.is_vertex;
    }
    const auto rows = fmt::format("C={:.4g} ({})", profile.flops, names_of(all, profile.rows));
    if (rung.seeds.empty()) {
      lone.push_back("no seed has runs of both groups at " + rows);
      continue;
    }
    rung.variant_flops = of_variant.flops();
    rung.baseline_flops = of_baseline.flops();
    if (has_vertices)
      with_vertices.push_back(rung);
    else
      without_vertices.push_back("a group has no lowest point inside of its sizes at " + rows);
    rungs.push_back(std::move(rung));
  }
  if (left_out) {
    *left_out = std::move(lone);
    if (!with_vertices.empty()) left_out->insert(left_out->end(), without_vertices.begin(), without_vertices.end());
  }
  return with_vertices.empty() ? rungs : with_vertices;
}

}  // namespace assay::scaling
