// Mesh backends: `self` (one rank) and `threads` (ranks are threads of this process); `shape` for checks at plan time.
#pragma once

#include <functional>
#include <memory>

#include "assay/mesh.h"

namespace assay::mesh {

std::unique_ptr<Communicator> self_communicator();
std::unique_ptr<Mesh> self_mesh();

// Rank 0 of a mesh that is not there: knows its sizes, so that shapes can be checked before a run; has no collectives.
std::unique_ptr<Mesh> shape_mesh(int tensor, int data);

// MKL chooses the kernels of its vector maths at the first call in a process, and not safely: when two ranks come there
// at once, one of them can get the first exponential of its run from a coarser kernel (errors of 1e-5). So one call is
// made before there are ranks; any function and type settles it for all.
void settle_vector_maths();

// Runs body once a rank of a tensor x data mesh, each on its own thread (on the caller's when there is one rank), and
// returns when all are done. When a rank throws, the others are released from their collectives at once, and the first
// cause is rethrown here.
ASSAY_API void run_ranks(int tensor, int data, const std::function<void(Mesh&)>& body);

}  // namespace assay::mesh
