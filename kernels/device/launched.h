// For CUDA sources: whether a kernel could be started.
#pragma once

#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

namespace assay::kernels::device {

// After a launch: throws std::runtime_error when it was refused, as it is on a GPU of an architecture that was not
// built, or when an operation before it has failed meanwhile.
inline void launched(const char* kernel) {
  const auto error = cudaGetLastError();
  if (error == cudaSuccess) return;
  const bool not_built = error == cudaErrorNoKernelImageForDevice || error == cudaErrorInvalidDeviceFunction;
  throw std::runtime_error(std::string(kernel) + ", or an operation before it: CUDA: " + cudaGetErrorString(error) +
                           (not_built ? "; see CMAKE_CUDA_ARCHITECTURES of the build" : ""));
}

}  // namespace assay::kernels::device
