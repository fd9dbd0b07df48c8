// Dropout whose mask is drawn by counter (Philox4x32-10, Salmon et al. 2011), so that it does not depend on mesh, batch
// split or thread, and the backward pass draws it again instead of storing it: the gradient is the same function of the
// upstream gradient as the output is of the input.
//
// Frozen layout: key = `key`; counter words = {channel / 4, position, global head, row of the global batch}; of the
// four words drawn, number channel % 4 drops its element when it is below `threshold` = floor(rate * 2^32). Kept
// elements are multiplied by `scale`.
#pragma once

#include <cstdint>

namespace assay::kernels::dropout {

// x and out are [rows, heads, queries, channels], contiguous.
struct Shape {
  int64_t rows = 0, heads = 1, queries = 0, channels = 0;
};

struct Mask {
  uint64_t key = 0;
  uint32_t threshold = 0;
  double scale = 1;
  int64_t head_begin = 0;              // global number of the first head
  const int64_t* row_id = nullptr;     // [rows]: row in the global batch
  const int64_t* positions = nullptr;  // [rows, queries]
};

// T is float or double. x and out may be the same.
template <class T>
using Function = void (*)(const Shape&, const Mask&, const T* x, T* out);

template <class T>
void reference(const Shape& shape, const Mask& mask, const T* x, T* out);
template <class T>
void cpu(const Shape& shape, const Mask& mask, const T* x, T* out);
// All pointers, including those of the mask, must point to device memory; runs on the default stream, which LibTorch
// uses. Throws std::runtime_error in a build without CUDA.
template <class T>
void cuda(const Shape& shape, const Mask& mask, const T* x, T* out);

}  // namespace assay::kernels::dropout
