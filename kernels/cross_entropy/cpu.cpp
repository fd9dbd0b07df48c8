// Vectorised by the compiler: lanes are explicit, so that the summation order does not depend on the vector width, and
// exp is inlined, so that it needs no library call and no run-time dispatch.
#include <algorithm>
#include <limits>

#include "cross_entropy/cross_entropy.h"
#include "exp.h"
#include "vector.h"

namespace assay::kernels::cross_entropy {
namespace {

constexpr int64_t kLanes = 16;

template <class T>
[[gnu::always_inline]] inline void largest_rows(const Slice& slice, const T* logits, T* largest) {
  for (int64_t n = 0; n < slice.rows; ++n) {
    const T* row = logits + n * slice.stride;
    T lanes[kLanes];
    std::fill_n(lanes, kLanes, -std::numeric_limits<T>::infinity());
    int64_t c = 0;
    for (; c + kLanes <= slice.columns; c += kLanes)
      for (int64_t i = 0; i < kLanes; ++i) lanes[i] = larger(lanes[i], row[c + i]);
    for (; c < slice.columns; ++c) lanes[0] = larger(lanes[0], row[c]);
    largest[n] = lanes[0];
    for (int64_t i = 1; i < kLanes; ++i) largest[n] = larger(largest[n], lanes[i]);
  }
}

template <class T>
[[gnu::always_inline]] inline void sum_rows(const Slice& slice, const T* logits, const int64_t* targets,
                                            const T* largest, T* total, T* own) {
  for (int64_t n = 0; n < slice.rows; ++n) {
    const T* row = logits + n * slice.stride;
    const T shift = largest[n];
    T lanes[kLanes] = {};
    int64_t c = 0;
    for (; c + kLanes <= slice.columns; c += kLanes)
      for (int64_t i = 0; i < kLanes; ++i) lanes[i] += exp_nonpositive(row[c + i] - shift);
    for (int64_t i = 0; c + i < slice.columns; ++i) lanes[i] += exp_nonpositive(row[c + i] - shift);
    for (int64_t half = kLanes / 2; half > 0; half /= 2)
      for (int64_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
    total[n] = lanes[0];
    const int64_t target = targets[n] - slice.begin;
    own[n] = target >= 0 && target < slice.columns ? row[target] : T{0};
  }
}

template <class T>
[[gnu::always_inline]] inline void gradient_rows(const Slice& slice, const T* logits, const int64_t* targets,
                                                 const T* largest, const T* total, const T* upstream, int64_t width,
                                                 T* gradient) {
  for (int64_t n = 0; n < slice.rows; ++n) {
    const T* row = logits + n * slice.stride;
    T* out = gradient + n * width;
    const T shift = largest[n], scale = upstream[n] / total[n];
    for (int64_t c = 0; c < slice.columns; ++c) out[c] = exp_nonpositive(row[c] - shift) * scale;
    std::fill(out + slice.columns, out + width, T{0});
    const int64_t target = targets[n] - slice.begin;
    if (target >= 0 && target < slice.columns) out[target] -= upstream[n];
  }
}

// Clones need plain functions.
ASSAY_CLONES void largest_f32(const Slice& slice, const float* logits, float* largest) {
  largest_rows(slice, logits, largest);
}
ASSAY_CLONES void largest_f64(const Slice& slice, const double* logits, double* largest) {
  largest_rows(slice, logits, largest);
}
ASSAY_CLONES void sums_f32(const Slice& slice, const float* logits, const int64_t* targets, const float* largest,
                           float* total, float* own) {
  sum_rows(slice, logits, targets, largest, total, own);
}
ASSAY_CLONES void sums_f64(const Slice& slice, const double* logits, const int64_t* targets, const double* largest,
                           double* total, double* own) {
  sum_rows(slice, logits, targets, largest, total, own);
}
ASSAY_CLONES void gradient_f32(const Slice& slice, const float* logits, const int64_t* targets, const float* largest,
                               const float* total, const float* upstream, int64_t width, float* gradient) {
  gradient_rows(slice, logits, targets, largest, total, upstream, width, gradient);
}
ASSAY_CLONES void gradient_f64(const Slice& slice, const double* logits, const int64_t* targets, const double* largest,
                               const double* total, const double* upstream, int64_t width, double* gradient) {
  gradient_rows(slice, logits, targets, largest, total, upstream, width, gradient);
}

}  // namespace

template <>
const Version<float>& cpu<float>() {
  static const Version<float> version{largest_f32, sums_f32, gradient_f32};
  return version;
}
template <>
const Version<double>& cpu<double>() {
  static const Version<double> version{largest_f64, sums_f64, gradient_f64};
  return version;
}

}  // namespace assay::kernels::cross_entropy
