// Shares of counted items and their intervals.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "assay/evaluator.h"
#include "assay/random.h"

namespace assay::evaluation {

struct Share {
  double hits = 0, all = 0;
  void add(bool hit) { hits += hit, ++all; }
  void add(const Share& other) { hits += other.hits, all += other.all; }
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
  return {share.hits == 0 ? 0 : center - half, share.hits == share.all ? 1 : center + half};  // exact at the ends
}

// The middle 95% of the shares of 1,000 samples of groups, for items that are alike within a group (Efron and
// Tibshirani 1993, ch. 13); Wilson's interval of the groups where all items or none are hits, for then every sample is
// the same.
inline Interval bootstrap(const std::vector<Share>& groups, const Draws& draws) {
  Share all;
  for (const auto& group : groups) all.add(group);
  if (all.all == 0) return {0, 1};
  const auto count = static_cast<double>(groups.size());
  if (all.hits == 0 || all.hits == all.all) return wilson({all.hits / all.all * count, count});
  constexpr size_t kSamples = 1000;
  std::vector<double> shares;
  for (size_t sample = 0; sample < kSamples; ++sample) {
    const auto own = draws.substream(sample);
    Share sum;
    for (size_t i = 0; i < groups.size(); ++i) sum.add(groups[own.below(groups.size(), i)]);
    shares.push_back(sum.value());
  }
  std::sort(shares.begin(), shares.end());
  constexpr size_t kCutOff = kSamples * 25 / 1000;  // on each side
  return {shares[kCutOff], shares[kSamples - 1 - kCutOff]};
}

// Reports a share that is better when higher, and its interval as name_low and name_high; n/a without items.
inline void report_share(EvaluationContext& context, const std::string& name, const Share& share,
                         const Interval& interval) {
  const bool any = share.all > 0;
  const auto [low, high] = interval;
  context.metric({name, share.hits, std::max(share.all, 1.0), "", Direction::kHigher, {}, any});
  context.metric({name + "_low", low, 1, "", Direction::kNone, {}, any});
  context.metric({name + "_high", high, 1, "", Direction::kNone, {}, any});
}

}  // namespace assay::evaluation
