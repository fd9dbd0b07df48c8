#include "compare/statistics/t_test.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "compare/statistics/exact_tests.h"
#include "compare/statistics/statistics.h"

namespace assay::compare {
namespace {

double variance_of_mean(const Summary& summary) {
  return *summary.deviation * *summary.deviation / static_cast<double>(summary.n);
}

bool are_equal(std::span<const double> values, double mean, double rounding) {
  return std::all_of(values.begin(), values.end(), [&](double one) { return std::abs(one - mean) <= rounding; });
}

// One divided by the number of ways to exchange the values between the sides.
double exchange_floor(std::size_t left, std::size_t right) {
  double ways = 1;
  for (std::size_t i = 1; i <= right; ++i) ways *= static_cast<double>(left + i) / static_cast<double>(i);
  return 1 / ways;
}

double exact_p(const TTest& test, double in_direction) { return in_direction > test.rounding ? test.exact_floor : 1; }

}  // namespace

std::optional<TTest> paired_t(std::span<const double> differences, double scale) {
  const auto summary = summarise(differences);
  if (summary.n < 2) return std::nullopt;
  const double rounding = kRounding * std::max(scale, largest_magnitude(differences));
  return TTest{.n_left = summary.n,
               .n_right = summary.n,
               .difference = summary.mean,
               .standard_error = std::sqrt(variance_of_mean(summary)),
               .degrees_of_freedom = static_cast<double>(summary.n - 1),
               .rounding = rounding,
               .exact_floor = sign_flip_floor(summary.n) / 2,
               .is_exact = are_equal(differences, summary.mean, rounding)};
}

std::optional<TTest> welch_t(std::span<const double> left, std::span<const double> right) {
  const auto a = summarise(left), b = summarise(right);
  if (a.n < 2 || b.n < 2) return std::nullopt;
  const double va = variance_of_mean(a), vb = variance_of_mean(b), sum = va + vb;
  const double na = static_cast<double>(a.n - 1), nb = static_cast<double>(b.n - 1);
  const double df = sum > 0 ? sum * sum / (va * va / na + vb * vb / nb) : na + nb;
  const double rounding = kRounding * std::max(largest_magnitude(left), largest_magnitude(right));
  return TTest{.n_left = a.n,
               .n_right = b.n,
               .difference = a.mean - b.mean,
               .standard_error = std::sqrt(sum),
               .degrees_of_freedom = df,
               .rounding = 2 * rounding,  // twice, for two values
               .exact_floor = exchange_floor(a.n, b.n),
               .is_exact = are_equal(left, a.mean, rounding) && are_equal(right, b.mean, rounding)};
}

double half_width(const TTest& test, double confidence) {
  const boost::math::students_t distribution(test.degrees_of_freedom);
  return boost::math::quantile(distribution, 0.5 + confidence / 2) * test.standard_error;
}

double p_less(const TTest& test, double bound) {
  const double above = test.difference - bound;
  if (test.is_exact) return exact_p(test, -above);
  return boost::math::cdf(boost::math::students_t(test.degrees_of_freedom), above / test.standard_error);
}

double p_greater(const TTest& test, double bound) {
  const double above = test.difference - bound;
  if (test.is_exact) return exact_p(test, above);
  const boost::math::students_t distribution(test.degrees_of_freedom);
  return boost::math::cdf(boost::math::complement(distribution, above / test.standard_error));
}

double p_two_sided(const TTest& test, double bound) {
  return std::min(1.0, 2 * std::min(p_less(test, bound), p_greater(test, bound)));
}

double p_equivalent(const TTest& test, double margin) {
  return std::max(p_less(test, margin), p_greater(test, -margin));
}

double p_not_equivalent(const TTest& test, double margin) {
  return std::min(1.0, 2 * std::min(p_greater(test, margin), p_less(test, -margin)));
}

}  // namespace assay::compare
