#include "run/on_mesh.h"

#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>

#include <nlohmann/json.hpp>

#include "mesh/backends.h"
#include "mesh/nccl/nccl.h"

namespace assay::run {

void on_mesh(const nlohmann::json& line, const Compute& compute, mesh::Processes* processes,
             const std::function<void(const Mesh& mesh, const Compute& here)>& body) {
  const auto& resources = line.at("resources");
  const auto& sizes = resources.at("mesh");
  const bool gpus = sizes.value("backend", "") == "nccl";
  mesh::DeviceRanks devices(mesh::nccl_collectives);
  const auto on_rank = [&](Mesh& mesh) {
    at::set_num_threads(resources.at("threads"));  // of this rank's thread
    const int rank = mesh.data().rank() * mesh.tensor().size() + mesh.tensor().rank();
    const auto here = gpus ? of_rank(compute, processes ? processes->rank_on_host() : rank) : compute;
    const c10::DeviceGuard device(here.device);
    if (gpus)
      devices.run(mesh, [&](Mesh& axes) { body(axes, here); });
    else
      body(mesh, here);
  };
  const int tensor = sizes.at("tensor"), data = sizes.at("data");
  if (processes)
    mesh::run_ranks(*processes, tensor, data, sizes.value("check_calls", false), on_rank);
  else
    mesh::run_ranks(tensor, data, on_rank);
}

}  // namespace assay::run
