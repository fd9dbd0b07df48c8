// Devices and their memory, with the CUDA runtime.
#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

#include "device/device.h"

namespace assay::kernels::device {
namespace {
void check(cudaError_t error) {
  if (error != cudaSuccess) throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(error));
}

// 13000 is 13.0, 12080 is 12.8.
std::string version(int number) { return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10); }
}  // namespace

bool built() { return true; }
int count() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}
Gpu describe(int index) {
  cudaDeviceProp properties;
  int driver = 0, runtime = 0;
  check(cudaGetDeviceProperties(&properties, index));
  check(cudaDriverGetVersion(&driver));
  check(cudaRuntimeGetVersion(&runtime));
  return {properties.name, version(driver), version(runtime)};
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
bool is_device_memory(const void* memory) {
  cudaPointerAttributes attributes;
  check(cudaPointerGetAttributes(&attributes, memory));
  return attributes.type == cudaMemoryTypeDevice;
}
void wait() { check(cudaDeviceSynchronize()); }

}  // namespace assay::kernels::device
