#include "scaling/resample.h"

#include <fmt/format.h>

#include <bit>
#include <numeric>
#include <utility>

#include "assay/error.h"

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

std::vector<std::vector<std::size_t>> resamples_of(std::size_t rows, const BootstrapOptions& options,
                                                   std::size_t least) {
  Resampler resampler(rows, options.seed);
  const bool is_subset = options.subset_fraction < 1;
  const auto count = static_cast<std::size_t>(options.subset_fraction * static_cast<double>(rows));
  if (is_subset && options.resamples > 0 && count < least)
    throw UserError(fmt::format("subset_fraction = {:g} leaves {} of {} rows, but a fit needs at least {}",
                                options.subset_fraction, count, rows, least));
  std::vector<std::vector<std::size_t>> samples(options.resamples);
  for (auto& sample : samples) sample = is_subset ? resampler.subset(count) : resampler.with_replacement();
  return samples;
}

}  // namespace assay::scaling
