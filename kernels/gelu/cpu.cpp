// Vectorised by the compiler; exp is inlined, so that it needs no library call.
#include "exp.h"
#include "gelu/gelu.h"
#include "vector.h"

namespace assay::kernels::gelu {
namespace {

// sqrt(2 / pi), and that times 0.044715.
template <class T>
constexpr T kFactor = static_cast<T>(0.7978845608028653559L);
template <class T>
constexpr T kCubic = static_cast<T>(0.0356774081363001277L);

// With s = 1 / (1 + exp(-2 u)): s, and s (1 - s). The argument of the exponential is not positive, and 1 - s is not
// computed directly, because it would cancel.
template <class T>
struct Logistic {
  [[gnu::always_inline]] explicit Logistic(T x) {
    const T u = x * (kFactor<T> + kCubic<T> * x * x);
    const T e = exp_nonpositive(u < 0 ? 2 * u : -2 * u), share = 1 / (1 + e);
    s = (u < 0 ? e : T{1}) * share;
    slope = e * share * share;
  }
  T s, slope;
};

template <class T>
[[gnu::always_inline]] inline void forward(int64_t count, const T* x, T* out) {
  for (int64_t i = 0; i < count; ++i) out[i] = x[i] * Logistic<T>(x[i]).s;
}

template <class T>
[[gnu::always_inline]] inline void backward(int64_t count, const T* x, const T* d_y, T* d_x) {
  for (int64_t i = 0; i < count; ++i) {
    const Logistic<T> at(x[i]);
    d_x[i] = d_y[i] * (at.s + 2 * x[i] * at.slope * (kFactor<T> + 3 * kCubic<T> * x[i] * x[i]));
  }
}

// Clones need plain functions.
ASSAY_CLONES void forward_f32(int64_t count, const float* x, float* out) { forward(count, x, out); }
ASSAY_CLONES void forward_f64(int64_t count, const double* x, double* out) { forward(count, x, out); }
ASSAY_CLONES void backward_f32(int64_t count, const float* x, const float* d_y, float* d_x) {
  backward(count, x, d_y, d_x);
}
ASSAY_CLONES void backward_f64(int64_t count, const double* x, const double* d_y, double* d_x) {
  backward(count, x, d_y, d_x);
}

}  // namespace

template <>
const Version<float>& cpu<float>() {
  static const Version<float> version{forward_f32, backward_f32};
  return version;
}
template <>
const Version<double>& cpu<double>() {
  static const Version<double> version{forward_f64, backward_f64};
  return version;
}

}  // namespace assay::kernels::gelu
