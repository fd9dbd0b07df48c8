// Where a row of pieces (files, lines) is cut into train, validation and test.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <vector>

namespace assay::dataset {

struct Cuts {
  size_t validation, test;  // where they begin; they end at the next cut or the end
};

// The two ends of pieces that are nearest to where the fractions put them; of two that are equally near the later one.
// A split whose fraction is not 0 gets at least one piece as far as there are enough, train included: of two pieces for
// three splits, train gets one and the larger of the two others (validation where they are equal) the second. One whose
// fraction is 0 gets none. `ends` are ascending, the last one is the size of all; pieces of no size have none.
inline Cuts nearest_cuts(const std::vector<size_t>& ends, double validation_fraction, double test_fraction) {
  if (ends.empty()) return {0, 0};
  const auto total = static_cast<double>(ends.back());
  const auto distance = [&](size_t piece, double target) {
    return std::abs(static_cast<double>(ends[piece]) - target);
  };
  // Of the ends [first, last] of pieces.
  const auto nearest = [&](double target, size_t first, size_t last) {
    auto best = first;
    for (auto piece = first; piece <= last; ++piece)
      if (distance(piece, target) <= distance(best, target) + 1e-9 * total) best = piece;
    return best;
  };
  const bool validates = validation_fraction > 0, tests = test_fraction > 0;
  const double before_validation = (1 - validation_fraction - test_fraction) * total,
               before_test = (1 - test_fraction) * total;
  const size_t last = ends.size() - 1, needed = static_cast<size_t>(validates) + static_cast<size_t>(tests);
  if (last < needed) {  // fewer pieces than splits: train gets one, and the larger of the two others the second
    const bool to_validation = validates && (!tests || validation_fraction >= test_fraction);
    return {ends[0], ends[to_validation ? last : 0]};
  }
  if (!tests) return {ends[validates ? nearest(before_validation, 0, last - 1) : last], ends[last]};
  if (!validates) {
    const auto cut = ends[nearest(before_test, 0, last - 1)];
    return {cut, cut};
  }
  auto train = nearest(before_validation, 0, last - 2), both = nearest(before_test, 0, last - 1);
  if (both <= train) {  // both nearest to one end: one of them moves
    const auto off = [&](size_t one, size_t other) {
      return distance(one, before_validation) + distance(other, before_test);
    };
    if (train > 0 && off(train - 1, train) < off(train, train + 1)) --train;
    both = train + 1;
  }
  return {ends[train], ends[both]};
}

}  // namespace assay::dataset
