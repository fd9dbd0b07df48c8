// Shares of texts with the attributes that were asked for, beside baselines, and agreement of two sets of attributes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "../shares.h"
#include "assay/evaluator.h"

namespace assay::norms {

using evaluation::Share;

// The model's share beside those of the baselines. The model's is kept by situation, for rows of one are alike.
struct Control {
  std::map<std::string, Share> own;
  Share majority, shuffled;
};

// Reports the model's share with its bootstrap interval over situations, and the baselines' as name_majority and
// name_shuffled.
inline void report_control(EvaluationContext& context, const std::string& name, const Control& control,
                           bool has_majority = true) {
  std::vector<Share> groups;
  Share all;
  for (const auto& [situation, share] : control.own) groups.push_back(share), all.add(share);
  evaluation::report_share(context, name, all, evaluation::bootstrap(groups, context.draws()));
  const auto baseline = [&](const std::string& end, const Share& share) {
    context.metric({name + end, share.hits, std::max(share.all, 1.0), "", Direction::kNone, {}, share.all > 0});
  };
  if (has_majority) baseline("_majority", control.majority);
  baseline("_shuffled", control.shuffled);
}

// F1 of two sets of attribute tokens, 2 TP / (2 TP + FP + FN).
inline Share agreement(const std::vector<int32_t>& given, const std::vector<int32_t>& gold) {
  const std::set<int32_t> one(given.begin(), given.end()), other(gold.begin(), gold.end());
  double shared = 0;
  for (const auto id : one) shared += static_cast<double>(other.count(id));
  return {2 * shared, static_cast<double>(one.size() + other.size())};
}

}  // namespace assay::norms
