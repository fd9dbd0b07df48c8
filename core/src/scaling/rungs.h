// The rungs of a compute multiplier from the runs of two groups.
#pragma once

#include <vector>

#include "scaling/isoflop.h"
#include "scaling/multiplier.h"
#include "scaling/point.h"

namespace assay::scaling {

// A rung is a budget at which both groups have runs of the same seeds, grouped like IsoFLOP profiles. A seed's loss
// there is that of its run; of several sizes, the lowest point of their parabola, or the lowest loss where there is
// none.
std::vector<Rung> rungs_of(const std::vector<Point>& variant, const std::vector<Point>& baseline,
                           const IsoflopOptions& options);

}  // namespace assay::scaling
