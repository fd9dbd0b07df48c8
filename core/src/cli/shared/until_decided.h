// assay run --until-decided: adds seeds until every claim is decided or the maximum is reached.
#pragma once

#include <functional>

#include "cli/shared/cli.h"
#include "plan/plan.h"

namespace assay::cli {

// The plan, with the seeds that interim analyses have added, unless the request sets the seeds. Without them a plain
// run would return the study to its first seeds.
plan::Plan plan_of_study(plan::PlanRequest request);

// `run_plan` runs a plan; an exit code other than 0 ends the study. Returns 0 when every claim is decided, with the
// verdicts on standard output, and 4 when most_seeds seeds did not decide all.
int run_until_decided(plan::PlanRequest request, std::size_t most_seeds, const Arguments& arguments,
                      const std::function<int(plan::Plan&)>& run_plan);

}  // namespace assay::cli
