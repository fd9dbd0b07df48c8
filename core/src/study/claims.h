// [[claim]]: a sentence, where it comes from, and the inequality between rows that must hold for it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "document/diagnostics.h"
#include "study/holds.h"
#include "study/metric_check.h"
#include "sweep/selector.h"

namespace assay::study {

struct ClaimSide {
  sweep::Selector rows;
  MetricName metric;  // the side's own, or the claim's
};

// How rows enter that the sides leave open: every pair must hold; their mean must; the tuned ones must.
enum class Over { kEach, kMean, kTuned };

struct Claim {
  std::string says, source;
  ClaimSide left;
  std::optional<ClaimSide> right;  // absent when left is compared with a number
  Holds holds;
  Over over = Over::kEach;
  bool drop_unmatched = false;     // rows without a partner are left out
  bool diverged_is_worst = false;  // a diverged run counts as worse than any other; else it decides nothing
  document::Position position;
  std::string hash;  // of all that decides its verdict: what it says may be reworded
};

// Of every entry that is right; what is wrong with the others is reported.
std::vector<Claim> read_claims(const document::Node& document, document::Diagnostics& diagnostics);

}  // namespace assay::study
