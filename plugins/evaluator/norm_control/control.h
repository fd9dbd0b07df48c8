// Shares of texts with the attributes that were asked for, beside baselines, and agreement of two sets of attributes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "../shares.h"
#include "assay/evaluator.h"

namespace assay::norms {

using evaluation::Share;

// The model's attributes beside the two baselines'.
struct Control {
  Share own, majority, shuffled;
};

// Reports the model's share with its interval, and the baselines' as name_majority and name_shuffled.
inline void report_control(EvaluationContext& context, const std::string& name, const Control& control) {
  evaluation::report_share(context, name, control.own);
  for (const auto& [end, share] : {std::pair{"_majority", &control.majority}, {"_shuffled", &control.shuffled}})
    context.metric({name + end, share->hits, std::max(share->all, 1.0), "", Direction::kNone, {}, share->all > 0});
}

// 2 TP / (2 TP + FP + FN) over the attribute tokens of all rows.
struct Agreement {
  double twice = 0, weight = 0;
  void add(const std::vector<int32_t>& given, const std::vector<int32_t>& gold) {
    const std::set<int32_t> one(given.begin(), given.end()), other(gold.begin(), gold.end());
    double shared = 0;
    for (const auto id : one) shared += static_cast<double>(other.count(id));
    twice += 2 * shared, weight += static_cast<double>(one.size() + other.size());
  }
};

}  // namespace assay::norms
