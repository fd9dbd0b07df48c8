// The draws of a bootstrap, equal on every platform and equal to numpy's legacy generator (RandomState).
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace assay::scaling {

class Resampler {
 public:
  // One generator for all resamples, which are drawn in sequence. rows >= 1.
  Resampler(std::size_t rows, std::uint32_t seed) : rows_(rows), draw_(seed) {}

  // As many indices as there are rows, each of any row: RandomState(seed).choice(rows, rows).
  std::vector<std::size_t> with_replacement();
  // `count` different rows: RandomState(seed).choice(rows, count, replace=False).
  std::vector<std::size_t> subset(std::size_t count);

 private:
  std::size_t up_to(std::size_t largest);

  std::size_t rows_;
  std::mt19937 draw_;
};

struct BootstrapOptions {
  std::size_t resamples = 4000;
  std::uint32_t seed = 0;
  double subset_fraction = 1;  // below 1: resamples are subsets of this share, and not draws with replacement
};

// The row indices of every resample. Throws UserError when a subset has fewer than `least` rows.
std::vector<std::vector<std::size_t>> resamples_of(std::size_t rows, const BootstrapOptions& options,
                                                   std::size_t least = 1);

}  // namespace assay::scaling
