// The compute multiplier of a variant: how many times the variant's compute the baseline needs to reach the same loss,
// by compute, and whether the gain grows or fades.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compare/statistics/percentile.h"

namespace assay::scaling {

// The losses of two groups of runs at one compute, by seed. Seeds that both have are partners.
struct Rung {
  double variant_flops = 0, baseline_flops = 0;
  std::vector<std::int64_t> seeds;        // at least one
  std::vector<double> variant, baseline;  // nats per token, one per seed
};

struct MultiplierAt {
  double flops = 0;               // of the group that needs more to reach the loss: the baseline's on this rung
  double multiplier = 1;          // baseline's compute / variant's compute
  compare::Interval interval{};   // 95%
  double standard_error = 0;      // of ln(multiplier)
  double degrees_of_freedom = 1;  // of the standard error
  bool is_extrapolated = false;   // a group is taken outside of its rungs
};

struct Multiplier {
  std::vector<MultiplierAt> rungs;     // one per rung, by compute
  double slope = 0;                    // of ln(multiplier) over ln(compute), by least squares over the rungs
  compare::Interval slope_interval{};  // 95%
  double slope_error = 0, slope_degrees_of_freedom = 1;
};

struct MultiplierOptions {
  std::size_t resamples = 1000;
  std::uint32_t seed = 0;
};

inline constexpr std::size_t kMinRungs = 4, kMultiplierResamples = 2000;

// Each group's loss is a parabola in logarithms of loss and compute, by least squares through the means of its rungs.
// At each rung's compute the group that needs more compute for its loss is taken there, so that the largest rung is not
// extrapolated. Standard errors come from two bootstraps in which partners are drawn together: over the residuals of
// rungs, with the residual degrees of freedom of the parabolas, and over seeds, with one less than their number. The
// wider of the two Student t intervals counts.
//
// Throws UserError for fewer than kMinRungs rungs, and where a loss does not fall with compute.
Multiplier fit_multiplier(std::span<const Rung> rungs, const MultiplierOptions& options);

}  // namespace assay::scaling
