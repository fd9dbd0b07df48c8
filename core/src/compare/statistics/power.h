// The correlation of partners, and the number of pairs that a test would need at the observed spread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace assay::compare {

// Pearson's correlation of the partners' values. Nothing for fewer than three pairs or if one side has no spread.
std::optional<double> pair_correlation(std::span<const double> left, std::span<const double> right);

// The power of the two-sided paired t test of n differences with this mean and standard deviation, from the noncentral
// t distribution. Cohen 1988, ch. 2.
double paired_t_power(std::size_t n, double mean, double deviation, double level);
// The power of two one-sided tests within +-margin, from two noncentral t tails (Phillips 1990; a lower bound, close
// from power 0.7 on).
double equivalence_power(std::size_t n, double mean, double deviation, double margin, double level);

inline constexpr std::size_t kMinPairs = 6;  // with fewer, even the exact sign-flip test cannot reach 0.05
inline constexpr std::size_t kMaxPairs = 10'000;

// The fewest pairs, at least kMinPairs, that give power 0.8; nothing if kMaxPairs do not. Without spread (deviation
// 0), the fewest with which equal signs are significant at the level.
std::optional<std::size_t> needed_pairs(double mean, double deviation, double level);
std::optional<std::size_t> needed_pairs_to_be_equivalent(double mean, double deviation, double margin, double level);

}  // namespace assay::compare
