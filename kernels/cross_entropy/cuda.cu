// One block per row; sums use a fixed tree, so that equal inputs give equal bits.
#include <cuda_runtime.h>

#include <limits>

#include "cross_entropy/cross_entropy.h"
#include "device/launched.h"

namespace assay::kernels::cross_entropy {
namespace {

constexpr int kThreads = 256;

struct Larger {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a < b ? b : a;  // ignores NaN, which the sum keeps
  }
};
struct Plus {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};

template <class T, class Operation>
__device__ T over_block(T mine, Operation operation) {
  __shared__ T values[kThreads];
  values[threadIdx.x] = mine;
  for (int half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) values[threadIdx.x] = operation(values[threadIdx.x], values[threadIdx.x + half]);
  }
  __syncthreads();
  return values[0];
}

template <class T>
__global__ void largest_kernel(Slice slice, const T* logits, T minus_infinity, T* largest) {
  const T* row = logits + blockIdx.x * slice.stride;
  T mine = minus_infinity;
  for (int64_t c = threadIdx.x; c < slice.columns; c += kThreads) mine = Larger()(mine, row[c]);
  mine = over_block(mine, Larger());
  if (threadIdx.x == 0) largest[blockIdx.x] = mine;
}

template <class T>
__global__ void sums_kernel(Slice slice, const T* logits, const int64_t* targets, const T* largest, T* total, T* own) {
  const T* row = logits + blockIdx.x * slice.stride;
  const T shift = largest[blockIdx.x];
  T mine = 0;
  for (int64_t c = threadIdx.x; c < slice.columns; c += kThreads) mine += exp(row[c] - shift);
  mine = over_block(mine, Plus());
  if (threadIdx.x != 0) return;
  const int64_t target = targets[blockIdx.x] - slice.begin;
  total[blockIdx.x] = mine;
  own[blockIdx.x] = target >= 0 && target < slice.columns ? row[target] : T(0);
}

template <class T>
__global__ void gradient_kernel(Slice slice, const T* logits, const int64_t* targets, const T* largest, const T* total,
                                const T* upstream, int64_t width, T* gradient) {
  const T* row = logits + blockIdx.x * slice.stride;
  const T shift = largest[blockIdx.x], scale = upstream[blockIdx.x] / total[blockIdx.x];
  const int64_t target = targets[blockIdx.x] - slice.begin;
  for (int64_t c = threadIdx.x; c < width; c += kThreads) {
    T out = c < slice.columns ? exp(row[c] - shift) * scale : T(0);
    if (c == target && c < slice.columns) out -= upstream[blockIdx.x];
    gradient[blockIdx.x * width + c] = out;
  }
}

template <class T>
void largest_of(const Slice& slice, const T* logits, T* largest) {
  if (slice.rows == 0) return;
  largest_kernel<<<slice.rows, kThreads>>>(slice, logits, -std::numeric_limits<T>::infinity(), largest);
  device::launched("cross_entropy");
}
template <class T>
void sums_of(const Slice& slice, const T* logits, const int64_t* targets, const T* largest, T* total, T* own) {
  if (slice.rows == 0) return;
  sums_kernel<<<slice.rows, kThreads>>>(slice, logits, targets, largest, total, own);
  device::launched("cross_entropy");
}
template <class T>
void gradient_of(const Slice& slice, const T* logits, const int64_t* targets, const T* largest, const T* total,
                 const T* upstream, int64_t width, T* gradient) {
  if (slice.rows == 0) return;
  gradient_kernel<<<slice.rows, kThreads>>>(slice, logits, targets, largest, total, upstream, width, gradient);
  device::launched("cross_entropy");
}

}  // namespace

template <class T>
const Version<T>& cuda() {
  static const Version<T> version{largest_of<T>, sums_of<T>, gradient_of<T>};
  return version;
}
template const Version<float>& cuda<float>();
template const Version<double>& cuda<double>();

}  // namespace assay::kernels::cross_entropy
