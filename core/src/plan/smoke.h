// A plan cut down to find out whether every group of an experiment runs at all.
#pragma once

#include "plan/plan.h"

namespace assay::plan {

// One seed a group and at most 20 steps, with the ids of such runs, in results/.smoke/<experiment>: apart from all
// other results.
Plan smoke_of(Plan plan);

}  // namespace assay::plan
