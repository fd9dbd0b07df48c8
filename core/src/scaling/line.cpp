#include "scaling/line.h"

#include <cmath>

namespace assay::scaling {

double PowerLine::log_at(double x) const { return log_coefficient + exponent * std::log(x); }
double PowerLine::at(double x) const { return std::exp(log_at(x)); }

PowerLine fit_power_line(std::span<const std::pair<double, double>> points) {
  const auto n = static_cast<double>(points.size());
  double x_mean = 0, y_mean = 0, products = 0, squares = 0;
  for (const auto& [x, y] : points) {
    x_mean += std::log(x) / n;
    y_mean += std::log(y) / n;
  }
  for (const auto& [x, y] : points) {
    products += (std::log(x) - x_mean) * (std::log(y) - y_mean);
    squares += (std::log(x) - x_mean) * (std::log(x) - x_mean);
  }
  const double exponent = products / squares;
  return {.exponent = exponent, .log_coefficient = y_mean - exponent * x_mean};
}

}  // namespace assay::scaling
