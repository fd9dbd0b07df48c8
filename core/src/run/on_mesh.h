// The ranks of a run: threads of this process or, with `processes`, this one among several; a GPU each where the mesh
// is NCCL's.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>

#include "mesh/processes.h"
#include "run/device.h"

namespace assay::run {

// Body once a rank of this process, on the plan line's mesh, with as many threads as it says and the rank's device as
// the current one. compute: as settle_compute gave it.
void on_mesh(const nlohmann::json& plan_line, const Compute& compute, mesh::Processes* processes,
             const std::function<void(const Mesh& mesh, const Compute& here)>& body);

}  // namespace assay::run
