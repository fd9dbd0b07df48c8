// One thread per four channels, which use one block of draws.
#include <cuda_runtime.h>

#include "device/launched.h"
#include "dropout/dropout.h"

namespace assay::kernels::dropout {
namespace {

constexpr int kThreads = 256;

__device__ uint4 philox4x32_10(uint4 c, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint32_t high_a = __umulhi(0xD2511F53u, c.x), low_a = 0xD2511F53u * c.x;
    const uint32_t high_b = __umulhi(0xCD9E8D57u, c.z), low_b = 0xCD9E8D57u * c.z;
    c = make_uint4(high_b ^ c.y ^ key0, low_b, high_a ^ c.w ^ key1, low_a);
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return c;
}

template <class T>
__global__ void kernel(Shape shape, Mask mask, T scale, int64_t blocks_a_row, int64_t blocks, const T* x, T* out) {
  const int64_t block = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (block >= blocks) return;
  const int64_t line = block / blocks_a_row, channel = block % blocks_a_row * 4;  // line: (row, head, query)
  const int64_t query = line % shape.queries, head = line / shape.queries % shape.heads;
  const int64_t row = line / shape.queries / shape.heads;
  const uint4 drawn = philox4x32_10(
      make_uint4(static_cast<uint32_t>(channel / 4), static_cast<uint32_t>(mask.positions[row * shape.queries + query]),
                 static_cast<uint32_t>(mask.head_begin + head), static_cast<uint32_t>(mask.row_id[row])),
      static_cast<uint32_t>(mask.key), static_cast<uint32_t>(mask.key >> 32));
  const uint32_t words[4] = {drawn.x, drawn.y, drawn.z, drawn.w};
  for (int i = 0; i < 4 && channel + i < shape.channels; ++i) {
    const int64_t at = line * shape.channels + channel + i;
    out[at] = words[i] < mask.threshold ? T(0) : x[at] * scale;
  }
}

}  // namespace

template <class T>
void cuda(const Shape& shape, const Mask& mask, const T* x, T* out) {
  const int64_t blocks_a_row = (shape.channels + 3) / 4;
  const int64_t blocks = shape.rows * shape.heads * shape.queries * blocks_a_row;
  if (blocks == 0) return;
  kernel<<<(blocks + kThreads - 1) / kThreads, kThreads>>>(shape, mask, static_cast<T>(mask.scale), blocks_a_row,
                                                           blocks, x, out);
  device::launched("dropout");
}
template void cuda<float>(const Shape&, const Mask&, const float*, float*);
template void cuda<double>(const Shape&, const Mask&, const double*, double*);

}  // namespace assay::kernels::dropout
