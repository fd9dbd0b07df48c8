// Approach 2: at each budget a parabola of the loss in log10 N, whose vertex is the compute-optimal N; then lines
// through the vertices. Hoffmann et al. 2022, arXiv:2203.15556, sec. 3.2.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "scaling/line.h"
#include "scaling/point.h"

namespace assay::scaling {

struct IsoflopProfile {
  double flops = 0;                 // the budget: given, or the geometric mean of its runs
  std::vector<std::size_t> rows{};  // indices of its points, by N
  // loss = curvature (x - log10 N_opt)^2 + lowest, with x = log10 N.
  double curvature = 0, parameters = 0, lowest = 0;
  double tokens = 0;        // D at the vertex
  bool is_outside = false;  // the vertex is not between the smallest and the largest N of its runs
  std::string rejected{};   // why there is no parabola; empty if there is one
};

struct IsoflopOptions {
  std::vector<double> budgets{};  // FLOPs; empty: runs are grouped by gaps, where C grows by more than `window`
  double window = 0.1;            // relative distance of a run's C from its budget, or the gap between two budgets
};

struct IsoflopFit {
  std::vector<IsoflopProfile> profiles;  // by budget
  std::vector<std::size_t> unused;       // points that belong to no budget
  // Through the vertices of all parabolas, those outside included. D_opt is that of the runs around the vertex.
  PowerLine parameters, tokens;
  std::size_t vertices = 0;  // lines need two; with fewer they are empty
};

IsoflopFit fit_isoflop(std::span<const Point> points, const IsoflopOptions& options);

// The same budgets with the rows of a resample, each of which stays with its budget.
IsoflopFit refit(std::span<const Point> points, const IsoflopFit& fit, std::span<const std::size_t> sample);

}  // namespace assay::scaling
