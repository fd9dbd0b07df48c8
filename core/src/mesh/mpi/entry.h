// The entry point of libassay_mpi, which libassay_run looks up.
#pragma once

#include "mesh/processes.h"

namespace assay::mesh {

constexpr const char* kMpiEntry = "assay_mpi_processes";
using MpiEntry = Processes*();

}  // namespace assay::mesh
