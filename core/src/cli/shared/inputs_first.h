// The runs that other runs take as inputs, done before them.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "launch/sweep.h"
#include "plan/plan.h"

namespace assay::cli {

// Runs what the lines take as inputs and is not finished, and what that takes. With `with_inputs` false, a UserError
// says what is missing. Exit code as of run_sweep; `sweep` says how, its experiment is not looked at.
int run_inputs_first(const std::vector<nlohmann::json>& lines, bool with_inputs, const plan::PlanRequest& request,
                     const launch::SweepOptions& sweep);

}  // namespace assay::cli
