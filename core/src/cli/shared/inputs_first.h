// Runs the inputs of a plan's runs before them.
#pragma once

#include <vector>

#include "launch/sweep.h"
#include "plan/plan.h"

namespace assay::cli {

// Runs the unfinished inputs of the lines, and the inputs of those. With `with_inputs` false, throws a UserError that
// lists the missing inputs. Returns the exit code of run_sweep; `sweep` gives the options, and its experiment is
// ignored.
int run_inputs_first(const std::vector<record::PlanLine>& lines, bool with_inputs, const plan::PlanRequest& request,
                     const launch::SweepOptions& sweep);

}  // namespace assay::cli
