// Reduces a plan to a quick check that every group of an experiment runs.
#pragma once

#include "plan/plan.h"

namespace assay::plan {

// One seed per group and at most 20 steps, with the ids of these short runs, in results/.smoke/<experiment>, apart from
// all other results.
Plan smoke_of(Plan plan);

}  // namespace assay::plan
