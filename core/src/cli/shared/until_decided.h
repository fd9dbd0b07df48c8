// assay run --until-decided: seeds are added until every claim is decided, or there are as many as there may be.
#pragma once

#include <functional>

#include "cli/shared/cli.h"
#include "plan/plan.h"

namespace assay::cli {

// `carry_out` runs a plan; its exit code ends the study when it is not 0. Else 0 when every claim is decided, which the
// verdicts on standard output say, and 4 when most_seeds did not decide all.
// The plan, with the seeds that looks at the study have added where nobody asks for others: without them a plain run
// would take a study back to where it began.
plan::Plan plan_of_study(plan::PlanRequest request);

int run_until_decided(plan::PlanRequest request, std::size_t most_seeds, const Arguments& arguments,
                      const std::function<int(plan::Plan&)>& carry_out);

}  // namespace assay::cli
