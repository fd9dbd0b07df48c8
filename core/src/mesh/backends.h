// Mesh backends: `self` (one rank) and `threads` (ranks are threads of this process); `shape` for checks at plan time.
#pragma once

#include <functional>
#include <memory>

#include "assay/mesh.h"

namespace assay {

std::unique_ptr<Mesh> self_mesh();

// Rank 0 of a mesh that is not there: knows its sizes, so that shapes can be checked before a run; has no collectives.
std::unique_ptr<Mesh> shape_mesh(int tensor, int data);

// Runs body once a rank of a tensor x data mesh, each on its own thread (on the caller's when there is one rank), and
// returns when all are done. When a rank throws, the others are released from their collectives at once, and the first
// cause is rethrown here.
ASSAY_API void run_ranks(int tensor, int data, const std::function<void(Mesh&)>& body);

}  // namespace assay
