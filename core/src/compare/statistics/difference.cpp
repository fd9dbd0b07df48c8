#include "compare/statistics/difference.h"

#include <algorithm>
#include <map>

#include "compare/statistics/exact_tests.h"
#include "compare/statistics/power.h"
#include "compare/statistics/statistics.h"

namespace assay::compare {
namespace {

std::vector<double> values_of(const SeedValues& values) {
  std::vector<double> numbers;
  for (const auto& [seed, value] : values) numbers.push_back(value);
  return numbers;
}

}  // namespace

std::pair<std::vector<double>, std::vector<double>> partners_by_seed(const SeedValues& left, const SeedValues& right) {
  const std::map<std::int64_t, double> by_seed(right.begin(), right.end());
  std::pair<std::vector<double>, std::vector<double>> partners;
  for (const auto& [seed, value] : left)
    if (const auto found = by_seed.find(seed); found != by_seed.end()) {
      partners.first.push_back(value);
      partners.second.push_back(found->second);
    }
  return partners;
}

std::optional<Difference> difference_of(const SeedValues& left, const SeedValues& right, bool same_seeds) {
  Difference difference;
  difference.paired = same_seeds;
  std::optional<TTest> test;
  if (same_seeds) {
    const auto [a, b] = partners_by_seed(left, right);
    std::vector<double> differences;
    for (std::size_t i = 0; i < a.size(); ++i) differences.push_back(a[i] - b[i]);
    test = paired_t(differences, std::max(largest_magnitude(a), largest_magnitude(b)));
    if (test) difference.sign_flip_p = sign_flip_p(differences);
    difference.correlation = pair_correlation(a, b);
  } else {
    test = welch_t(values_of(left), values_of(right));
  }
  if (!test) return std::nullopt;
  difference.test = *test;
  difference.p = p_two_sided(*test);
  difference.too_few = std::min(test->n_left, test->n_right) < kMinPairs;
  return difference;
}

}  // namespace assay::compare
