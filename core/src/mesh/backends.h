// Mesh backends: `self` (one rank) and `threads` (ranks are threads of this process); `shape` for validation at plan
// time.
#pragma once

#include <functional>
#include <memory>

#include "assay/mesh.h"

namespace assay::mesh {

std::unique_ptr<Communicator> self_communicator();
std::unique_ptr<Mesh> self_mesh();

// Rank 0 of a mesh that does not exist: it has the sizes, so that shapes can be checked before a run, but no
// collectives.
std::unique_ptr<Mesh> shape_mesh(int tensor, int data);

// MKL selects the kernels of its vector maths at the first call in a process, and not in a thread-safe way: when two
// ranks call it concurrently, one of them can compute its first exponential with a less accurate kernel (errors of
// 1e-5). This function makes one call before the ranks start; a call of any function and type settles the selection for
// all.
void initialize_vector_math();

// Runs body once per rank of a tensor x data mesh, each on its own thread (on the caller's thread if there is one
// rank), and returns when all have finished. When a rank throws, the others leave their collectives immediately, and
// the first exception is rethrown here.
ASSAY_API void run_ranks(int tensor, int data, const std::function<void(Mesh&)>& body);

}  // namespace assay::mesh
