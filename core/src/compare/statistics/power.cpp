#include "compare/statistics/power.h"

#include <algorithm>
#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

namespace assay::compare {
namespace {

constexpr double kPower = 0.8;
constexpr double kBeyondDoubt = 100;  // a noncentrality at which any test has power 1, and Boost's series would be slow

// P(t > bound) for a noncentral t.
double upper_tail(double df, double noncentrality, double bound) {
  if (noncentrality > kBeyondDoubt + bound) return 1;
  if (noncentrality < -kBeyondDoubt) return 0;
  return boost::math::cdf(boost::math::complement(boost::math::non_central_t(df, noncentrality), bound));
}

template <typename Power>
std::optional<std::size_t> fewest(Power power) {
  std::size_t enough = kMinPairs, too_few = kMinPairs - 1;
  for (; power(enough) < kPower; enough = std::min(2 * enough, kMaxPairs)) {
    if (enough == kMaxPairs) return std::nullopt;
    too_few = enough;
  }
  while (enough - too_few > 1) {
    const auto middle = too_few + (enough - too_few) / 2;
    (power(middle) >= kPower ? enough : too_few) = middle;
  }
  return enough;
}

// Equal signs have a one-sided p of 2^-n.
std::size_t fewest_by_signs(double one_sided_level) {
  std::size_t n = kMinPairs;
  while (std::ldexp(1.0, -static_cast<int>(n)) >= one_sided_level) ++n;
  return n;
}

}  // namespace

std::optional<double> pair_correlation(std::span<const double> left, std::span<const double> right) {
  if (left.size() != right.size() || left.size() < 3) return std::nullopt;
  const auto mean = [](std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  };
  const double a = mean(left), b = mean(right);
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    ab += (left[i] - a) * (right[i] - b);
    aa += (left[i] - a) * (left[i] - a);
    bb += (right[i] - b) * (right[i] - b);
  }
  if (aa == 0 || bb == 0) return std::nullopt;
  return ab / std::sqrt(aa * bb);
}

double paired_t_power(std::size_t n, double mean, double deviation, double level) {
  const double df = static_cast<double>(n - 1);
  const double critical = boost::math::quantile(boost::math::complement(boost::math::students_t(df), level / 2));
  const double noncentrality = mean / deviation * std::sqrt(static_cast<double>(n));
  return upper_tail(df, noncentrality, critical) + upper_tail(df, -noncentrality, critical);
}

double equivalence_power(std::size_t n, double mean, double deviation, double margin, double level) {
  const double df = static_cast<double>(n - 1), root = std::sqrt(static_cast<double>(n));
  const double critical = boost::math::quantile(boost::math::complement(boost::math::students_t(df), level));
  const double above_low = upper_tail(df, (mean + margin) / deviation * root, critical);
  const double below_high = upper_tail(df, (margin - mean) / deviation * root, critical);
  return std::max(0.0, above_low + below_high - 1);
}

std::optional<std::size_t> needed_pairs(double mean, double deviation, double level) {
  if (mean == 0) return std::nullopt;
  if (deviation == 0) return fewest_by_signs(level / 2);
  return fewest([&](std::size_t n) { return paired_t_power(n, mean, deviation, level); });
}

std::optional<std::size_t> needed_pairs_to_be_equivalent(double mean, double deviation, double margin, double level) {
  if (std::abs(mean) >= margin) return std::nullopt;
  if (deviation == 0) return fewest_by_signs(level);
  return fewest([&](std::size_t n) { return equivalence_power(n, mean, deviation, margin, level); });
}

}  // namespace assay::compare
