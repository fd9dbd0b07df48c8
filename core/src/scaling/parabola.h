// Least-squares parabolas.
#pragma once

#include <span>

namespace assay::scaling {

// y = c0 + c1 x + c2 x^2.
struct Parabola {
  double c0 = 0, c1 = 0, c2 = 0;
  double at(double x) const { return c0 + x * (c1 + x * c2); }
  double slope_at(double x) const { return c1 + 2 * c2 * x; }
};

// x has at least three values.
Parabola fit_parabola(std::span<const double> x, std::span<const double> y);

}  // namespace assay::scaling
