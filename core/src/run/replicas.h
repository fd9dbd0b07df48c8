// What must be the same on several ranks is compared: replicated parameters over the tensor ranks, all over replicas.
#pragma once

#include <stdexcept>
#include <vector>

#include "assay/mesh.h"
#include "assay/parameters.h"

namespace assay::run {

struct ReplicasDiffer : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// By hash, to the bit. ReplicasDiffer names the first parameter that differs. Every rank calls it.
void compare_replicas(const std::vector<Parameter>& parameters, const Mesh& mesh);

}  // namespace assay::run
