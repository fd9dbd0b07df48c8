// Replaces nccl.cpp in a build without CUDA.
#include "assay/error.h"
#include "mesh/nccl/nccl.h"

namespace assay::mesh {

bool has_nccl() { return false; }

std::unique_ptr<DeviceCollectives> nccl_collectives(Communicator&) {
  throw UserError("resources.mesh.backend: 'nccl' needs a CUDA build; configure with -DASSAY_CUDA=ON");
}

}  // namespace assay::mesh
