// Starts the ranks of a run: threads of this process or, with `processes`, this process among several. Each rank has
// its own GPU if the mesh uses NCCL.
#pragma once

#include <functional>

#include "mesh/processes.h"
#include "record/plan_line/plan_line.h"
#include "run/device.h"

namespace assay::run {

// Runs body once per rank of this process, on the mesh of the plan line, with its number of threads and the rank's
// device as the current one. compute: the result of resolve_compute.
void on_mesh(const record::PlanLine& plan_line, const Compute& compute, mesh::Processes* processes,
             const std::function<void(const Mesh& mesh, const Compute& here)>& body);

}  // namespace assay::run
