#include "scaling/parabola.h"

namespace assay::scaling {

// In polynomials that are orthogonal over x: 1, u = x - mean, and u^2 - s u - m.
Parabola fit_parabola(std::span<const double> x, std::span<const double> y) {
  const auto n = static_cast<double>(x.size());
  double x_mean = 0, y_mean = 0, squares = 0, cubes = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    x_mean += x[i] / n;
    y_mean += y[i] / n;
  }
  for (const double at : x) {
    const double u = at - x_mean;
    squares += u * u;
    cubes += u * u * u;
  }
  const double s = cubes / squares, m = squares / n;
  double by_u = 0, by_v = 0, v_squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double u = x[i] - x_mean, v = u * u - s * u - m;
    by_u += u * y[i] / squares;
    by_v += v * y[i];
    v_squares += v * v;
  }
  const double c2 = by_v / v_squares, c1 = by_u - c2 * s, c0 = y_mean - c2 * m;
  return {.c0 = c0 - x_mean * (c1 - x_mean * c2), .c1 = c1 - 2 * c2 * x_mean, .c2 = c2};
}

}  // namespace assay::scaling
