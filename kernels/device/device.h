// Memory of the GPU, for the cases of kernels that have a CUDA version.
#pragma once

#include <cstddef>

namespace assay::kernels::device {

bool available();  // a CUDA build with a GPU at hand
// Throw std::runtime_error with CUDA's own words; in a build without CUDA always.
void* copy_in(const void* host, size_t bytes);
void copy_out(void* host, const void* device, size_t bytes);  // waits for what is under way
void release(void* device);
void wait();

}  // namespace assay::kernels::device
