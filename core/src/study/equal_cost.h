// [compare] equal: whether the costs of rows or runs are near enough to each other.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "study/compare_settings.h"

namespace assay::study {

struct Cost {
  std::string label;  // of a row or a run
  double cost = 0;
};

// The cheapest and the most expensive, and by how many percent the second costs more.
struct CostGap {
  Cost least, most;
  double percent = 0, allowed = 0;
};

// Nothing where the most expensive one costs at most `equal.tolerance` more than the cheapest. Of equal costs, the
// first one is named.
std::optional<CostGap> excessive_gap(const EqualCost& equal, const std::vector<Cost>& costs);

}  // namespace assay::study
