#include "compare/statistics/statistics.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

namespace assay::compare {
namespace {

constexpr double kConfidence = 0.95;

}  // namespace

Summary summarise(std::span<const double> values) {
  Summary summary;
  summary.n = values.size();
  if (values.empty()) return summary;
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  summary.mean = sum / n;
  if (values.size() < 2) return summary;
  double squares = 0;
  for (const double value : values) squares += (value - summary.mean) * (value - summary.mean);
  summary.deviation = std::sqrt(squares / (n - 1));
  const boost::math::students_t distribution(n - 1);
  const double quantile = boost::math::quantile(distribution, 0.5 + kConfidence / 2);
  summary.half_width = quantile * *summary.deviation / std::sqrt(n);
  return summary;
}

double largest_magnitude(std::span<const double> values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

}  // namespace assay::compare
