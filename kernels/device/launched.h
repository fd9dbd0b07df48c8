// For CUDA sources: whether a kernel could be started.
#pragma once

#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

namespace assay::kernels::device {

// After a launch: throws std::runtime_error when it was refused, as it is on a GPU of an architecture that was not
// built.
inline void launched(const char* kernel) {
  if (const auto error = cudaGetLastError(); error != cudaSuccess)
    throw std::runtime_error(std::string(kernel) + ": CUDA: " + cudaGetErrorString(error) +
                             "; see CMAKE_CUDA_ARCHITECTURES of the build");
}

}  // namespace assay::kernels::device
