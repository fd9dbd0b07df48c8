#include "study/equal_cost.h"

namespace assay::study {

std::optional<CostGap> excessive_gap(const EqualCost& equal, const std::vector<Cost>& costs) {
  const Cost *least = nullptr, *most = nullptr;
  for (const auto& one : costs) {
    if (!least || one.cost < least->cost) least = &one;
    if (!most || one.cost > most->cost) most = &one;
  }
  if (!least || most->cost <= least->cost * (1 + equal.tolerance)) return std::nullopt;
  return CostGap{*least, *most, 100 * (most->cost / least->cost - 1), 100 * equal.tolerance};
}

}  // namespace assay::study
