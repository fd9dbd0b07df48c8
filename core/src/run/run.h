// One run from its plan line: assemble, go on from a checkpoint, train, evaluate. Writes nothing but materialised
// epochs, checkpoints and the final weights; what happens is told to an observer and returned.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "loader/registry.h"
#include "mesh/processes.h"
#include "run/attempt.h"

namespace assay::run {

// processes: this process is one of the ranks, and the report is the first one's; null: ranks are threads.
RunReport execute(const loader::Registry& registry, const nlohmann::json& plan_line, const Attempt& attempt,
                  Observer& observer, mesh::Processes* processes = nullptr);

}  // namespace assay::run
