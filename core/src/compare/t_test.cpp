#include "compare/t_test.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "compare/statistics.h"

namespace assay {
namespace {

double variance_of_mean(const Summary& summary) {
  return *summary.deviation * *summary.deviation / static_cast<double>(summary.n);
}

}  // namespace

std::optional<TTest> paired_t(std::span<const double> differences) {
  const auto summary = summarise(differences);
  if (summary.n < 2) return std::nullopt;
  return TTest{summary.n, summary.n, summary.mean, std::sqrt(variance_of_mean(summary)),
               static_cast<double>(summary.n - 1)};
}

std::optional<TTest> welch_t(std::span<const double> left, std::span<const double> right) {
  const auto a = summarise(left), b = summarise(right);
  if (a.n < 2 || b.n < 2) return std::nullopt;
  const double va = variance_of_mean(a), vb = variance_of_mean(b), sum = va + vb;
  const double na = static_cast<double>(a.n - 1), nb = static_cast<double>(b.n - 1);
  const double df = sum > 0 ? sum * sum / (va * va / na + vb * vb / nb) : na + nb;
  return TTest{a.n, b.n, a.mean - b.mean, std::sqrt(sum), df};
}

double half_width(const TTest& test, double confidence) {
  const boost::math::students_t distribution(test.degrees_of_freedom);
  return boost::math::quantile(distribution, 0.5 + confidence / 2) * test.standard_error;
}

double p_less(const TTest& test, double bound) {
  const double above = test.difference - bound;
  if (test.standard_error == 0) return above < 0 ? 0 : 1;
  return boost::math::cdf(boost::math::students_t(test.degrees_of_freedom), above / test.standard_error);
}

double p_greater(const TTest& test, double bound) {
  const double above = test.difference - bound;
  if (test.standard_error == 0) return above > 0 ? 0 : 1;
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

}  // namespace assay
