// The objective of the parametric fit and its gradient. Hoffmann et al. 2022, arXiv:2203.15556, sec. 3.3.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "scaling/point.h"
#include "scaling/power_law.h"

namespace assay::scaling {

// a = ln A, b = ln B, e = ln E, alpha, beta.
using LogLaw = std::array<double, 5>;
PowerLaw power_law_of(const LogLaw& law);
LogLaw log_law_of(const PowerLaw& law);

// The columns of the points, with a weight for each row.
struct LogPoints {
  explicit LogPoints(std::span<const Point> points);
  std::vector<double> parameters, tokens, losses;  // natural logarithms
  std::vector<double> weights;                     // 1 at first; how often a resample holds the row
};

// sum_i w_i H(r_i) / delta with r = ln L(N, D) - ln L and H(r) = r^2/2 for |r| <= delta, else delta (|r| - delta/2):
// Huber's loss in units of delta, which tends to sum_i w_i |r_i| as delta tends to 0. A sum and not a mean, so that an
// optimiser's tolerances do not depend on the number of rows. `gradient` may be null.
//
// The loop is compiled for the vector units of several CPUs, so its last bits depend on the machine.
double huber_over_delta(const LogPoints& points, const LogLaw& law, double delta, double* gradient);

}  // namespace assay::scaling
