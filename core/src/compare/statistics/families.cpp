#include "compare/statistics/families.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <numeric>

namespace assay::compare {

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size());
  double largest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(p.size() - i) * p[order[i]]));
    adjusted[order[i]] = largest;
  }
  return adjusted;
}

double spent_level(double level, double fraction) {
  if (fraction <= 0) return 0;
  if (fraction >= 1) return level;
  const boost::math::normal normal;
  const double z = boost::math::quantile(boost::math::complement(normal, level / 2));
  return 2 * boost::math::cdf(boost::math::complement(normal, z / std::sqrt(fraction)));
}

double interim_level(double level, double fraction_before, double fraction) {
  return std::max(0.0, spent_level(level, fraction) - spent_level(level, fraction_before));
}

}  // namespace assay::compare
