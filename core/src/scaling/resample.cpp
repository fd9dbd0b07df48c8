#include "scaling/resample.h"

#include <bit>
#include <numeric>
#include <utility>

namespace assay::scaling {

// Draws bits until they make a number in range, so that all numbers are equally likely.
std::size_t Resampler::up_to(std::size_t largest) {
  if (largest == 0) return 0;
  const auto mask = std::bit_ceil(largest + 1) - 1;
  std::size_t index = 0;
  do index = draw_() & mask;
  while (index > largest);
  return index;
}

std::vector<std::size_t> Resampler::with_replacement() {
  std::vector<std::size_t> indices(rows_);
  for (auto& index : indices) index = up_to(rows_ - 1);
  return indices;
}

// The beginning of a shuffle from the last place to the second.
std::vector<std::size_t> Resampler::subset(std::size_t count) {
  std::vector<std::size_t> indices(rows_);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  for (auto last = rows_ - 1; last > 0; --last) std::swap(indices[last], indices[up_to(last)]);
  indices.resize(count);
  return indices;
}

std::vector<std::vector<std::size_t>> resamples_of(std::size_t rows, const BootstrapOptions& options) {
  Resampler resampler(rows, options.seed);
  const auto count = static_cast<std::size_t>(options.subset_fraction * static_cast<double>(rows));
  std::vector<std::vector<std::size_t>> samples(options.resamples);
  for (auto& sample : samples)
    sample = options.subset_fraction < 1 ? resampler.subset(count) : resampler.with_replacement();
  return samples;
}

}  // namespace assay::scaling
