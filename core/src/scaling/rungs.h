// The rungs of a compute multiplier from the runs of two groups.
#pragma once

#include <string>
#include <vector>

#include "scaling/isoflop.h"
#include "scaling/multiplier.h"
#include "scaling/point.h"

namespace assay::scaling {

// A rung is a budget at which both groups have runs of the same seeds, grouped like IsoFLOP profiles. Where a budget
// has parabolas with inner vertices, for every seed of both groups, a seed's loss is that of the vertex, and only such
// budgets count: a size that is not near the optimum has a multiplier of its own. Otherwise it is the lowest loss of
// its runs.
// `left_out` gets a sentence with the rows for each budget that does not count.
std::vector<Rung> rungs_of(const std::vector<Point>& variant, const std::vector<Point>& baseline,
                           const IsoflopOptions& options, std::vector<std::string>* left_out = nullptr);

}  // namespace assay::scaling
