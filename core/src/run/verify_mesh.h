// Compares a run on a mesh with the same run on one rank, step by step, to verify the tolerance of the mesh.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "loader/registry.h"
#include "record/plan_line/plan_line.h"
#include "run/checkpoint/sharded.h"

namespace assay::run {

// Largest max|difference| / max(max|x| of the tensor, RMS of all tensors) over the tensors; x is from `expected`.
double difference(const std::vector<NamedTensor>& found, const std::vector<NamedTensor>& expected);

struct MeshDifference {
  int64_t step = 0;                   // from 1
  double loss = 0;                    // relative
  double gradients = 0, weights = 0;  // as above, before clipping and after the update
};

struct MeshVerification {
  std::string refused;  // why the run is not possible on that mesh; else empty
  std::vector<MeshDifference> steps;
};

// Runs the plan line on one rank and on each of the meshes (as resources.mesh) and compares them after the given steps.
// library, contexts: see data_spec.
std::vector<MeshVerification> verify_meshes(const loader::Registry& registry, const record::PlanLine& plan_line,
                                            const std::vector<record::MeshConfig>& meshes,
                                            const std::set<int64_t>& steps, const std::string& library,
                                            const std::filesystem::path& contexts);

}  // namespace assay::run
