// Making a plan the one that counts.
#pragma once

#include "plan/plan.h"

namespace assay::cli {

// Replaces what is in force of its experiment. The lines get the state of the source tree; what that has besides its
// commit is kept beside the plan, under its hash.
void put_in_force(plan::Plan& plan);

}  // namespace assay::cli
