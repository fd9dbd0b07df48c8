// Puts a plan in force.
#pragma once

#include "plan/plan.h"

namespace assay::cli {

// Replaces the plan in force of its experiment. The lines get the state of the source tree; uncommitted changes are
// kept beside the plan, under their hash.
void put_in_force(plan::Plan& plan);

}  // namespace assay::cli
