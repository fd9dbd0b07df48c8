// Student's t tests of a difference: paired by seed, and Welch's for unpaired samples.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace assay::compare {

// An estimated difference with its standard error, which determine its intervals and p values.
struct TTest {
  std::size_t n_left = 0, n_right = 0;  // equal when paired
  double difference = 0;                // left - right
  double standard_error = 0;
  double degrees_of_freedom = 1;
  double rounding = 0;     // rounding error of values of this size: a smaller difference counts as none
  double exact_floor = 0;  // smallest one-sided p of the exact test: 2^-n by signs, 1 / (n over k) by exchanges
  // The values have no spread beyond rounding, so no standard error can be estimated and the exact test decides. Its p
  // is the floor, because all differences (or all values of a side) are equal.
  bool is_exact = false;
};

// The relative rounding error of a value: means of fp32 losses repeat to about a millionth.
inline constexpr double kRounding = 1e-6;

// Tests the mean of differences between partners; `scale`: the largest value that entered them. Nothing for fewer than
// two.
std::optional<TTest> paired_t(std::span<const double> differences, double scale = 0);

// Welch 1947: unequal variances, with degrees of freedom after Satterthwaite 1946. Nothing for fewer than two values on
// a side.
std::optional<TTest> welch_t(std::span<const double> left, std::span<const double> right);

// The half-width of the two-sided confidence interval of the difference.
double half_width(const TTest& test, double confidence = 0.95);

// The probability of a difference at most as large (p_less) or at least as large (p_greater) as the observed one if the
// true difference were `bound`. The t test assumes normally distributed values, so its p may be below the exact test's
// floor. Without spread p is that floor in the direction of the difference from `bound`, otherwise 1.
double p_less(const TTest& test, double bound = 0);
double p_greater(const TTest& test, double bound = 0);
double p_two_sided(const TTest& test, double bound = 0);

// Two one-sided tests (Schuirmann 1987): small if the difference is within (-margin, margin).
double p_equivalent(const TTest& test, double margin);
// Small if the difference is outside: twice the smaller one-sided p, because there are two sides.
double p_not_equivalent(const TTest& test, double margin);

}  // namespace assay::compare
