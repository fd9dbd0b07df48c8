// A tile of rows of x by rows of W keeps a vector of partial sums per pair in registers, which are added at the end.
// Vectors have 32 bytes on every machine, so that the summation order is the same on all.
#include <cmath>
#include <cstring>

#include "few_rows/few_rows.h"
#include "vector.h"

namespace assay::kernels::few_rows {
namespace {

template <class T>
struct Problem {
  int64_t in, out;
  const T *x, *weight, *bias;
  T* y;
};

template <class T>
constexpr int kWidth = 32 / sizeof(T);
template <class T>
constexpr int64_t kLine = 64 / sizeof(T);  // numbers per cache line
template <class T>
struct Lanes {
  typedef T Vector __attribute__((vector_size(32)));
  typedef T Half __attribute__((vector_size(16)));
};

// Adds halves until one number is left.
template <class T>
[[gnu::always_inline]] inline T sum_of(const typename Lanes<T>::Vector& vector) {
  typename Lanes<T>::Half low, high;
  std::memcpy(&low, &vector, 16);
  std::memcpy(&high, reinterpret_cast<const char*>(&vector) + 16, 16);
  low += high;
  if constexpr (kWidth<T> == 8) low += __builtin_shufflevector(low, low, 2, 3, 0, 1);
  return low[0] + low[1];
}

// Rows m .. m + M - 1 of x by rows n .. n + N - 1 of W.
// kFar: W is not in the caches, so the rows of the next tile are prefetched; a single row is too short to benefit.
template <class T, int M, int N, bool kFar>
[[gnu::always_inline]] inline void tile(const Problem<T>& p, int64_t m, int64_t n) {
  using Vector = typename Lanes<T>::Vector;
  const T *x = p.x + m * p.in, *weight = p.weight + n * p.in;
  Vector sums[M][N];
#pragma GCC unroll 8
  for (int i = 0; i < M; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < N; ++j) sums[i][j] = Vector{};
  int64_t k = 0;
  // The smaller set of operands stays in registers, the other one is streamed.
  for (; k + kWidth<T> <= p.in; k += kWidth<T>) {
    if constexpr (M < N) {
      Vector left[M], right;
#pragma GCC unroll 8
      for (int i = 0; i < M; ++i) std::memcpy(&left[i], x + i * p.in + k, sizeof(Vector));
#pragma GCC unroll 8
      for (int j = 0; j < N; ++j) {
        std::memcpy(&right, weight + j * p.in + k, sizeof(Vector));
#pragma GCC unroll 8
        for (int i = 0; i < M; ++i) sums[i][j] += left[i] * right;
      }
    } else {
      if (kFar && k % kLine<T> == 0)
        for (int j = 0; j < N; ++j) __builtin_prefetch(weight + (N + j) * p.in + k);
      Vector left, right[N];
#pragma GCC unroll 8
      for (int j = 0; j < N; ++j) std::memcpy(&right[j], weight + j * p.in + k, sizeof(Vector));
#pragma GCC unroll 8
      for (int i = 0; i < M; ++i) {
        std::memcpy(&left, x + i * p.in + k, sizeof(Vector));
#pragma GCC unroll 8
        for (int j = 0; j < N; ++j) sums[i][j] += left * right[j];
      }
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < M; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < N; ++j) {
      T sum = sum_of<T>(sums[i][j]);
      // Explicitly fused in every tile: in a loop that the compiler vectorises, it would round the products.
      for (int64_t rest = k; rest < p.in; ++rest) sum = std::fma(x[i * p.in + rest], weight[j * p.in + rest], sum);
      p.y[(m + i) * p.out + n + j] = sum + (p.bias ? p.bias[n + j] : T{0});
    }
}

// As many rows of W as leave registers for their sums.
template <class T, int M, bool kFar>
[[gnu::always_inline]] inline void rows_of(const Problem<T>& p, int64_t m, int64_t first, int64_t last) {
  constexpr int kTogether = M == 1 ? 8 : M == 2 ? 4 : M == 3 ? 3 : 2;
  int64_t n = first;
  for (; n + kTogether <= last; n += kTogether) tile<T, M, kTogether, kFar>(p, m, n);
  for (; n < last; ++n) tile<T, M, 1, kFar>(p, m, n);
}

template <class T, bool kFar>
[[gnu::always_inline]] inline void product(int64_t rows, const Problem<T>& p, int64_t first, int64_t last) {
  int64_t m = 0;
  for (; m + 5 <= rows; m += 5) rows_of<T, 5, kFar>(p, m, first, last);
  switch (rows - m) {
    case 4:
      rows_of<T, 4, kFar>(p, m, first, last);
      break;
    case 3:
      rows_of<T, 3, kFar>(p, m, first, last);
      break;
    case 2:
      rows_of<T, 2, kFar>(p, m, first, last);
      break;
    case 1:
      rows_of<T, 1, kFar>(p, m, first, last);
      break;
    default:
      break;
  }
}

template <class T>
[[gnu::always_inline]] inline void product(int64_t rows, const Problem<T>& p, int64_t first, int64_t last) {
  constexpr int64_t kNear = 1 << 20;  // bytes
  if (p.in * p.out * static_cast<int64_t>(sizeof(T)) > kNear)
    product<T, true>(rows, p, first, last);
  else
    product<T, false>(rows, p, first, last);
}

// Clones need plain functions.
ASSAY_CLONES void product_f32(int64_t rows, int64_t in, int64_t out, int64_t first, int64_t last, const float* x,
                              const float* weight, const float* bias, float* y) {
  product<float>(rows, {in, out, x, weight, bias, y}, first, last);
}
ASSAY_CLONES void product_f64(int64_t rows, int64_t in, int64_t out, int64_t first, int64_t last, const double* x,
                              const double* weight, const double* bias, double* y) {
  product<double>(rows, {in, out, x, weight, bias, y}, first, last);
}

}  // namespace

template <>
const Version<float>& cpu<float>() {
  static const Version<float> version{product_f32};
  return version;
}
template <>
const Version<double>& cpu<double>() {
  static const Version<double> version{product_f64};
  return version;
}

}  // namespace assay::kernels::few_rows
