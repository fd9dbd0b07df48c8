// How libassay_run finds what libassay_mpi makes.
#pragma once

#include "mesh/processes.h"

namespace assay::mesh {

constexpr const char* kMpiEntry = "assay_mpi_processes";
using MpiEntry = Processes*();

}  // namespace assay::mesh
