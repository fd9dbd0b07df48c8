#include "compare/statistics/bootstrap.h"

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

namespace assay::compare {
namespace {

constexpr std::size_t kResamplings = 2000;
constexpr std::uint64_t kSeed = 20070815;

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
  return percentile_interval(std::move(found), 0.025, 0.975);
}

}  // namespace assay::compare
