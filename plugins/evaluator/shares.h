// Shares of counted items and their intervals.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "assay/evaluator.h"

namespace assay::evaluation {

struct Share {
  double hits = 0, all = 0;
  void add(bool hit) { hits += hit, ++all; }
  double value() const { return all > 0 ? hits / all : 0; }
};

struct Interval {
  double low, high;
};

// The 95% score interval of a binomial share. Wilson 1927, "Probable inference, the law of succession, and statistical
// inference".
inline Interval wilson(const Share& share) {
  if (share.all == 0) return {0, 1};
  constexpr double z = 1.959963984540054;
  const double n = share.all, p = share.value(), center = (p + z * z / (2 * n)) / (1 + z * z / n),
               half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {std::max(0.0, center - half), std::min(1.0, center + half)};
}

// Reports a share that is better when higher, and its interval as name_low and name_high; n/a without items.
inline void report_share(EvaluationContext& context, const std::string& name, const Share& share,
                         const std::string& note = "") {
  const bool any = share.all > 0;
  const auto [low, high] = wilson(share);
  context.metric({name, share.hits, std::max(share.all, 1.0), "", Direction::kHigher, {}, any, note});
  context.metric({name + "_low", low, 1, "", Direction::kNone, {}, any});
  context.metric({name + "_high", high, 1, "", Direction::kNone, {}, any});
}

}  // namespace assay::evaluation
