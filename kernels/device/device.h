// The GPUs at hand, and their memory for the cases of kernels that have a CUDA version.
#pragma once

#include <cstddef>
#include <string>

namespace assay::kernels::device {

struct Gpu {
  std::string name;
  std::string driver, runtime;  // CUDA versions, such as "13.0"
};

bool built();  // with CUDA
int count();   // GPUs at hand; 0 in a build without CUDA
inline bool available() { return count() > 0; }

// Throw std::runtime_error with CUDA's own words; in a build without CUDA always (but for holds).
Gpu describe(int index);
void* copy_in(const void* host, size_t bytes);
void copy_out(void* host, const void* device, size_t bytes);  // waits for what is under way
void release(void* device);
bool holds(const void* memory);  // a GPU's; false for the host's
void wait();

}  // namespace assay::kernels::device
