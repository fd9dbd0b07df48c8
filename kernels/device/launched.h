// For CUDA sources: checks whether a kernel was launched.
#pragma once

#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

namespace assay::kernels::device {

// Call after a launch: throws std::runtime_error when the launch failed, for instance on a GPU architecture that was
// not built, or when an earlier operation has failed in the meantime.
inline void launched(const char* kernel) {
  const auto error = cudaGetLastError();
  if (error == cudaSuccess) return;
  const bool not_built = error == cudaErrorNoKernelImageForDevice || error == cudaErrorInvalidDeviceFunction;
  throw std::runtime_error(std::string(kernel) + ", or an operation before it: CUDA: " + cudaGetErrorString(error) +
                           (not_built ? "; see CMAKE_CUDA_ARCHITECTURES of the build" : ""));
}

}  // namespace assay::kernels::device
