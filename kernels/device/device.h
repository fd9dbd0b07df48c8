// The available GPUs, and their memory for the cases of kernels with a CUDA version.
#pragma once

#include <cstddef>
#include <string>

namespace assay::kernels::device {

struct Gpu {
  std::string name;
  std::string driver, runtime;  // CUDA versions, such as "13.0"
};

bool built();  // with CUDA
int count();   // available GPUs; 0 in a build without CUDA
inline bool available() { return count() > 0; }

// Throw std::runtime_error with the message of CUDA; in a build without CUDA, all except holds always throw.
Gpu describe(int index);
void* copy_in(const void* host, size_t bytes);
void copy_out(void* host, const void* device, size_t bytes);  // waits for pending work
void release(void* device);
bool is_device_memory(const void* memory);  // true for GPU memory, false for host memory
void wait();

}  // namespace assay::kernels::device
