#include "compare/statistics/percentile.h"

#include <algorithm>
#include <cstddef>

namespace assay::compare {

double percentile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Interval percentile_interval(std::vector<double> values, double low, double high) {
  std::sort(values.begin(), values.end());
  return {percentile(values, low), percentile(values, high)};
}

}  // namespace assay::compare
