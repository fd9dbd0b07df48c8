// Device memory by the CUDA runtime.
#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

#include "device/device.h"

namespace assay::kernels::device {
namespace {
void check(cudaError_t error) {
  if (error != cudaSuccess) throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(error));
}
}  // namespace

bool available() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}
void* copy_in(const void* host, size_t bytes) {
  void* memory = nullptr;
  check(cudaMalloc(&memory, bytes > 0 ? bytes : 1));
  check(cudaMemcpy(memory, host, bytes, cudaMemcpyHostToDevice));
  return memory;
}
void copy_out(void* host, const void* device, size_t bytes) {
  wait();
  check(cudaMemcpy(host, device, bytes, cudaMemcpyDeviceToHost));
}
void release(void* device) { cudaFree(device); }
void wait() { check(cudaDeviceSynchronize()); }

}  // namespace assay::kernels::device
