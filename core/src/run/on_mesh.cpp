#include "run/on_mesh.h"

#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>

#include "mesh/backends.h"
#include "mesh/nccl/nccl.h"

namespace assay::run {

void on_mesh(const record::PlanLine& line, const Compute& compute, mesh::Processes* processes,
             const std::function<void(const Mesh& mesh, const Compute& here)>& body) {
  const auto& resources = line.resources;
  const auto& sizes = resources.mesh;
  const bool gpus = sizes.backend == "nccl";
  mesh::DeviceRanks devices(mesh::nccl_collectives);
  const auto on_rank = [&](Mesh& mesh) {
    at::set_num_threads(resources.threads);  // of this rank's thread
    const int rank = mesh.data().rank() * mesh.tensor().size() + mesh.tensor().rank();
    const auto here = gpus ? compute_of_rank(compute, processes ? processes->rank_on_host() : rank) : compute;
    const c10::DeviceGuard device(here.device);
    if (gpus)
      devices.run(mesh, [&](Mesh& axes) { body(axes, here); });
    else
      body(mesh, here);
  };
  if (processes)
    mesh::run_ranks(*processes, sizes.tensor, sizes.data, sizes.check_calls.value_or(false), on_rank);
  else
    mesh::run_ranks(sizes.tensor, sizes.data, on_rank);
}

}  // namespace assay::run
