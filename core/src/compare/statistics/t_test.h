// Student's t tests of a difference: paired by seed, and Welch's for samples that no seed pairs.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace assay::compare {

// An estimated difference with its standard error: all that its intervals and p values depend on.
struct TTest {
  std::size_t n_left = 0, n_right = 0;  // equal when paired
  double difference = 0;                // left - right
  double standard_error = 0;
  double degrees_of_freedom = 1;
  double rounding = 0;     // what values of this size are exact to: a difference below it is none
  double exact_floor = 0;  // the smallest one-sided p of the exact test: 2^-n by signs, 1 / (n over k) by exchanges
  // The values have no spread beyond rounding, so no standard error can be estimated and the exact test decides: its p
  // is the floor, for all differences (or all values of a side) are equal.
  bool is_exact = false;
};

// What a value may be off by, as a share of it: means of fp32 losses repeat to about a millionth.
inline constexpr double kRounding = 1e-6;

// Of the mean of differences between partners; `scale`: the largest value that went into them. Nothing below two.
std::optional<TTest> paired_t(std::span<const double> differences, double scale = 0);

// Welch 1947: unequal variances, degrees of freedom after Satterthwaite 1946. Nothing below two values on a side.
std::optional<TTest> welch_t(std::span<const double> left, std::span<const double> right);

// Half-width of the two-sided interval of the difference at this confidence.
double half_width(const TTest& test, double confidence = 0.95);

// P of a value at most (at least) as small (as large) as the one found, if the true difference were `bound`. The t
// test takes the values to be normally distributed, which lets its p go below the exact test's floor. Without spread p
// is that floor in the direction of the difference from `bound`, else 1.
double p_less(const TTest& test, double bound = 0);
double p_greater(const TTest& test, double bound = 0);
double p_two_sided(const TTest& test, double bound = 0);

// Two one-sided tests (Schuirmann 1987): small when the difference lies within (-margin, margin).
double p_equivalent(const TTest& test, double margin);
// Small when it lies outside: the less likely side's one-sided p, twice, for there are two sides to be outside on.
double p_not_equivalent(const TTest& test, double margin);

}  // namespace assay::compare
