// Executes one run of a plan line: assemble, resume from a checkpoint, train, evaluate. Writes only materialised
// epochs, checkpoints and the final weights; events go to an observer, and results are returned.
#pragma once

#include "loader/registry.h"
#include "mesh/processes.h"
#include "record/plan_line/plan_line.h"
#include "run/attempt.h"

namespace assay::run {

// processes: this process is one of the ranks, and only the first rank's report is complete; null: ranks are threads.
RunReport execute(const loader::Registry& registry, const record::PlanLine& plan_line, const Attempt& attempt,
                  Observer& observer, mesh::Processes* processes = nullptr);

}  // namespace assay::run
