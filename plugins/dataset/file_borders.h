// Where a sequence of pieces (files or lines) is divided into train, validation and test.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <vector>

namespace assay::dataset {

struct Cuts {
  size_t validation, test;  // where these splits begin; a split ends where the next one begins, or at the end
};

// The ends of pieces nearest to where the fractions would cut, and the later one of two that are equally near. Every
// split whose fraction is not 0, train included, gets at least one piece if there are enough; of two pieces for three
// splits, train gets one and the larger of the other two (validation where they are equal) the second. A split whose
// fraction is 0 gets none. `ends` are ascending, and the last one is the total size; empty pieces are not among them.
inline Cuts nearest_cuts(const std::vector<size_t>& ends, double validation_fraction, double test_fraction) {
  if (ends.empty()) return {0, 0};
  const auto total = static_cast<double>(ends.back());
  const auto distance = [&](size_t piece, double target) {
    return std::abs(static_cast<double>(ends[piece]) - target);
  };
  // The nearest among the ends [first, last].
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
  if (last < needed) {  // fewer pieces than splits: train gets one, the larger of the other two the second
    const bool to_validation = validates && (!tests || validation_fraction >= test_fraction);
    return {ends[0], ends[to_validation ? last : 0]};
  }
  if (!tests) return {ends[validates ? nearest(before_validation, 0, last - 1) : last], ends[last]};
  if (!validates) {
    const auto cut = ends[nearest(before_test, 0, last - 1)];
    return {cut, cut};
  }
  auto train = nearest(before_validation, 0, last - 2), both = nearest(before_test, 0, last - 1);
  if (both <= train) {  // both cuts are nearest to the same end: one of them moves
    const auto off = [&](size_t one, size_t other) {
      return distance(one, before_validation) + distance(other, before_test);
    };
    if (train > 0 && off(train - 1, train) < off(train, train + 1)) --train;
    both = train + 1;
  }
  return {ends[train], ends[both]};
}

}  // namespace assay::dataset
