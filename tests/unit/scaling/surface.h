// Losses on the surface that the replication prints (arXiv:2404.10102), for the tests of scaling laws.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "scaling/point.h"
#include "scaling/power_law.h"

namespace assay::scaling {

inline constexpr PowerLaw kReplication{.A = 482.01, .B = 2085.43, .E = 1.8172, .alpha = 0.3478, .beta = 0.3658};

// 40 points: 8 sizes times 5 lengths. `noise` is the size of a relative error that depends on the place alone.
inline std::vector<Point> surface_points(double noise) {
  std::vector<Point> points;
  for (int i = 0; i < 8; ++i)
    for (int j = 0; j < 5; ++j) {
      Point point{.parameters = 1e7 * std::pow(2, i),
                  .tokens = 1e9 * std::pow(3, j),
                  .name = fmt::format("line {}", points.size() + 2)};
      point.flops = 6 * point.parameters * point.tokens;
      point.loss = loss(kReplication, point.parameters, point.tokens) * (1 + noise * std::sin(7.0 * i + 3.0 * j));
      points.push_back(point);
    }
  return points;
}

// The nine budgets of the paper's approach 2, and nine sizes around a fifth of a budget's square root.
inline std::vector<Point> isoflop_points() {
  std::vector<Point> points;
  for (const double flops : {6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21})
    for (int j = 0; j < 9; ++j) {
      Point point{.parameters = std::sqrt(flops / 120) * std::pow(2, (j - 4) / 2.0),
                  .flops = flops,
                  .name = fmt::format("line {}", points.size() + 2)};
      point.tokens = flops / (6 * point.parameters);
      point.loss = loss(kReplication, point.parameters, point.tokens);
      points.push_back(point);
    }
  return points;
}

}  // namespace assay::scaling
