// Straight lines through points in logarithms of both axes: y = coefficient * x^exponent.
#pragma once

#include <span>
#include <utility>

namespace assay::scaling {

struct PowerLine {
  double exponent = 0, coefficient = 0;
  double at(double x) const;
};

// By least squares of ln y. x and y are positive, and x has at least two values.
PowerLine fit_power_line(std::span<const std::pair<double, double>> points);

}  // namespace assay::scaling
