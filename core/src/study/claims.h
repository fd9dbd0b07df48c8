// [[claim]]: a statement, its source, and the inequality between rows that must hold for it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "document/diagnostics.h"
#include "study/inequality.h"
#include "study/metric_check.h"
#include "sweep/selector.h"

namespace assay::study {

struct ClaimSide {
  sweep::Selector rows;
  MetricName metric;  // the side's own, or the claim's
};

// What must satisfy the inequality: every pair of rows, their mean, or the tuned rows.
enum class Over { kEach, kMean, kTuned };

struct Claim {
  std::string says, source;
  ClaimSide left;
  std::optional<ClaimSide> right;  // absent when left is compared with a number
  Inequality inequality;
  Over over = Over::kEach;
  bool drop_unmatched = false;     // rows without a partner are omitted
  bool diverged_is_worst = false;  // a diverged run counts as worse than any other; else it is ignored
  document::Position position;
  std::string hash;  // of everything that affects the verdict; the statement may be reworded
};

// Metrics of claims about compute multipliers (scaling/multiplier.h) against the baseline of [compare]: at the largest
// rung, and the slope of its logarithm over that of compute.
inline constexpr const char *kMultiplier = "scaling.multiplier", *kMultiplierSlope = "scaling.multiplier_slope";
bool is_scaling_metric(const std::string& name);
bool is_of_scaling(const Claim& claim);

// Returns the valid entries; reports the errors of the others.
std::vector<Claim> read_claims(const document::Node& document, document::Diagnostics& diagnostics);

}  // namespace assay::study
