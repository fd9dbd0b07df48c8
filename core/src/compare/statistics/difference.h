// The difference of two rows in one metric: paired by seed if both have the same seeds, otherwise Welch's.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "compare/statistics/t_test.h"

namespace assay::compare {

using SeedValues = std::vector<std::pair<std::int64_t, double>>;  // seed, value

struct Difference {
  bool paired = true;
  TTest test;                         // left - right; n_left pairs when paired
  double p = 1;                       // two-sided
  std::optional<double> sign_flip_p;  // when paired
  std::optional<double> correlation;  // of the partners, for at least three pairs
  bool too_few = false;               // fewer than kMinPairs on a side, so no verdict rests on it
};

// `same_seeds`: the rows were planned with the same seeds; then only seeds with a value in both rows count. Nothing for
// fewer than two pairs, or fewer than two values on a side.
std::optional<Difference> difference_of(const SeedValues& left, const SeedValues& right, bool same_seeds);

// The values of the seeds that both have, in the order of the left.
std::pair<std::vector<double>, std::vector<double>> partners_by_seed(const SeedValues& left, const SeedValues& right);

}  // namespace assay::compare
