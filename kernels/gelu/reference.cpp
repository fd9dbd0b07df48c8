// The plain form, as in the paper, in fp64.
#include <cmath>
#include <numbers>

#include "gelu/gelu.h"

namespace assay::kernels::gelu {
namespace {

const double kFactor = std::sqrt(2 / std::numbers::pi);

template <class T>
void forward(int64_t count, const T* x, T* out) {
  for (int64_t i = 0; i < count; ++i) {
    const double at = x[i];
    out[i] = static_cast<T>(0.5 * at * (1 + std::tanh(kFactor * (at + 0.044715 * at * at * at))));
  }
}

template <class T>
void backward(int64_t count, const T* x, const T* d_y, T* d_x) {
  for (int64_t i = 0; i < count; ++i) {
    const double at = x[i], u = kFactor * (at + 0.044715 * at * at * at);
    const double of_tanh = 1 / (std::cosh(u) * std::cosh(u));  // 1 - tanh^2 would cancel
    const double slope = 0.5 * (1 + std::tanh(u)) + 0.5 * at * of_tanh * kFactor * (1 + 3 * 0.044715 * at * at);
    d_x[i] = static_cast<T>(slope * d_y[i]);
  }
}

}  // namespace

template <class T>
const Version<T>& reference() {
  static const Version<T> version{forward<T>, backward<T>};
  return version;
}
template const Version<float>& reference<float>();
template const Version<double>& reference<double>();

}  // namespace assay::kernels::gelu
