#include "compare/statistics/bootstrap.h"

#include <algorithm>
#include <random>
#include <vector>

namespace assay::compare {
namespace {

constexpr std::size_t kResamplings = 2000;
constexpr std::uint64_t kSeed = 20070815;

// Linear between order statistics (type 7 of Hyndman and Fan 1996, numpy's default); `sorted` is not empty.
double percentile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

std::optional<Interval> document_bootstrap(std::span<const double> differences, std::span<const double> weights) {
  const auto n = differences.size();
  if (n < 2 || weights.size() != n || std::any_of(weights.begin(), weights.end(), [](double w) { return !(w > 0); }))
    return std::nullopt;
  std::mt19937_64 draw(kSeed);
  std::vector<double> found(kResamplings);
  for (auto& one : found) {
    double difference = 0, weight = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(draw() % n);  // one of 2^64 values: the bias is below n / 2^64
      difference += differences[at];
      weight += weights[at];
    }
    one = difference / weight;
  }
  std::sort(found.begin(), found.end());
  return Interval{percentile(found, 0.025), percentile(found, 0.975)};
}

}  // namespace assay::compare
