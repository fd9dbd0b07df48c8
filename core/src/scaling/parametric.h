// Approach 3: fits L(N, D) = E + A / N^alpha + B / D^beta to the final losses of runs. Hoffmann et al. 2022,
// arXiv:2203.15556, sec. 3.3; Besiroglu et al. 2024, arXiv:2404.10102.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "scaling/log_residuals.h"
#include "scaling/point.h"
#include "scaling/power_law.h"
#include "scaling/resample.h"

namespace assay::scaling {

// The body of the paper prints rounded values, which shift N_opt by a fifth; these are those of its TeX source.
inline constexpr LogLaw kPaperLaw{6.0073404, 6.0179186, 0.5267228, 0.33917084, 0.2849083};

// Every combination is a start; the default is the paper's, with 4,500 starts.
struct StartGrid {
  std::vector<double> alpha{0, 0.5, 1, 1.5, 2}, beta{0, 0.5, 1, 1.5, 2}, e{-1, -0.5, 0, 0.5, 1},
      a{0, 5, 10, 15, 20, 25}, b{0, 5, 10, 15, 20, 25};
};

enum class RobustLoss {
  kHuber,  // of the difference of logarithms
  kLad,    // least absolute deviations: its limit for delta = 0
};

struct ParametricOptions {
  RobustLoss loss = RobustLoss::kHuber;
  double delta = 1e-3;              // of Huber's loss, in log loss
  std::size_t exclude_highest = 0;  // keep the rows whose loss is below the k-th highest
  StartGrid grid{};
  double tolerance = 1e-12;  // relative change of the objective at which a descent ends
  int threads = 1;           // the result does not depend on it
};

struct ParametricFit {
  PowerLaw law;
  double objective = 0;                 // sum of Huber's loss, or of |r|, over the kept rows
  std::vector<std::size_t> kept;        // indices of rows, in their order
  std::vector<std::size_t> excluded;    // the others
  std::size_t starts = 0, at_best = 0;  // how many descents end within 1e-6 (relative) of the best
  LogLaw best_start{};                  // one of those, inside the grid where there is one
  bool start_at_edge = false;           // no start inside the grid reaches the best
  std::vector<double> residuals;        // ln L(N, D) - ln L of the kept rows
};

// Throws UserError for too few rows: fewer than the five parameters, or one N or one D alone.
ParametricFit fit_parametric(std::span<const Point> points, const ParametricOptions& options);

// A law for each resample of the kept rows that has as many different rows as parameters and gives a law with a
// frontier. Each refit starts from the fit and from kPaperLaw, and the better end counts.
std::vector<PowerLaw> bootstrap_parametric(std::span<const Point> points, const ParametricFit& fit,
                                           const ParametricOptions& options, const BootstrapOptions& bootstrap);

}  // namespace assay::scaling
