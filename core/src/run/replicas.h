// Compares parameters that must be equal on several ranks: replicated parameters over the tensor ranks, all parameters
// over replicas.
#pragma once

#include <stdexcept>
#include <vector>

#include "assay/mesh.h"
#include "assay/parameters.h"

namespace assay::run {

struct ReplicasDiffer : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Compares by hash, bit by bit. Throws ReplicasDiffer with the first parameter that differs. Must be called on every
// rank.
void compare_replicas(const std::vector<Parameter>& parameters, const Mesh& mesh);

}  // namespace assay::run
