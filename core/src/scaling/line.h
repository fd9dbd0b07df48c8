// Straight lines through points in logarithms of both axes: ln y = log_coefficient + exponent * ln x.
#pragma once

#include <span>
#include <utility>

namespace assay::scaling {

struct PowerLine {
  double exponent = 0, log_coefficient = 0;
  double log_at(double x) const;
  double at(double x) const;  // 0 or infinite where a steep line leaves what a double can hold
};

// By least squares of ln y. x and y are positive, and x has at least two values.
PowerLine fit_power_line(std::span<const std::pair<double, double>> points);

}  // namespace assay::scaling
