#include "compare/statistics/exact_tests.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

namespace assay::compare {
namespace {

// Sums of the same numbers in another order differ in the last bits; up to this they count as equal.
constexpr double kTie = 1e-12;

// Enumerates all signed sums with one flip from each to the next (a Gray code), so n = 20 takes a million additions. By
// symmetry the first sign is fixed.
double enumerated_p(std::span<const double> magnitudes, double found, double tie) {
  const auto n = magnitudes.size();
  std::vector<double> signs(n, 1.0);
  double sum = std::accumulate(magnitudes.begin(), magnitudes.end(), 0.0);
  const std::uint64_t all = std::uint64_t{1} << (n - 1);
  std::uint64_t as_far = 0;
  for (std::uint64_t i = 0; i < all; ++i) {
    if (i > 0) {
      const auto at = static_cast<std::size_t>(std::countr_zero(i)) + 1;
      signs[at] = -signs[at];
      sum += 2 * signs[at] * magnitudes[at];
    }
    as_far += std::abs(sum) >= found - tie;
  }
  return static_cast<double>(as_far) / static_cast<double>(all);
}

double drawn_p(std::span<const double> magnitudes, double found, double tie) {
  constexpr std::uint64_t kDraws = 1'000'000;
  std::mt19937_64 draw(0x617373617900);
  std::uint64_t as_far = 1;
  for (std::uint64_t i = 1; i < kDraws; ++i) {
    double sum = 0;
    std::uint64_t bits = 0;
    for (std::size_t at = 0; at < magnitudes.size(); ++at, bits >>= 1) {
      if (at % 64 == 0) bits = draw();
      sum += (bits & 1) ? magnitudes[at] : -magnitudes[at];
    }
    as_far += std::abs(sum) >= found - tie;
  }
  return static_cast<double>(as_far) / static_cast<double>(kDraws);
}

}  // namespace

double sign_flip_p(std::span<const double> differences) {
  if (differences.empty()) return 1;
  std::vector<double> magnitudes;
  for (const double one : differences) magnitudes.push_back(std::abs(one));
  const double total = std::accumulate(magnitudes.begin(), magnitudes.end(), 0.0);
  const double found = std::abs(std::accumulate(differences.begin(), differences.end(), 0.0));
  const double tie = kTie * total;
  return differences.size() <= kMaxEnumerated ? enumerated_p(magnitudes, found, tie) : drawn_p(magnitudes, found, tie);
}

double sign_flip_floor(std::size_t n) { return n == 0 ? 1 : std::min(1.0, std::ldexp(2.0, -static_cast<int>(n))); }

double signed_rank_p(std::span<const double> differences) {
  std::vector<double> nonzero;
  std::copy_if(differences.begin(), differences.end(), std::back_inserter(nonzero), [](double d) { return d != 0; });
  std::sort(nonzero.begin(), nonzero.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  const auto n = nonzero.size();
  if (n == 0) return 1;
  // Twice the mean rank is an integer, so the distribution of the sum is computed exactly by adding one rank at a time.
  std::vector<std::size_t> doubled(n);
  for (std::size_t begin = 0, end = 0; begin < n; begin = end) {
    while (end < n && std::abs(nonzero[end]) == std::abs(nonzero[begin])) ++end;
    for (std::size_t i = begin; i < end; ++i) doubled[i] = begin + 1 + end;
  }
  const std::size_t total = n * (n + 1);
  std::size_t positive = 0;
  for (std::size_t i = 0; i < n; ++i)
    if (nonzero[i] > 0) positive += doubled[i];
  std::vector<double> probability(total + 1, 0.0);
  probability[0] = 1;
  for (const auto rank : doubled)
    for (std::size_t sum = total + 1; sum-- > 0;)
      probability[sum] = 0.5 * probability[sum] + (sum >= rank ? 0.5 * probability[sum - rank] : 0.0);
  const std::size_t small = std::min(positive, total - positive);
  const double tail =
      std::accumulate(probability.begin(), probability.begin() + static_cast<std::ptrdiff_t>(small) + 1, 0.0);
  return std::min(1.0, 2 * tail);
}

}  // namespace assay::compare
