// GELU in its tanh form, x / (1 + exp(-2 u)) with u = sqrt(2 / pi) (x + 0.044715 x^3), and its derivative. Hendrycks
// and Gimpel 2016, "Gaussian Error Linear Units", arXiv:1606.08415, sec. 2: 0.5 x (1 + tanh u), written as a logistic
// function to avoid cancellation for negative x.
#pragma once

#include <cstdint>

namespace assay::kernels::gelu {

// T is float or double. out may be x, and d_x may be d_y.
template <class T>
struct Version {
  void (*forward)(int64_t count, const T* x, T* out);
  void (*backward)(int64_t count, const T* x, const T* d_y, T* d_x);
};

template <class T>
const Version<T>& reference();
template <class T>
const Version<T>& cpu();
// There is no CUDA version; on a GPU, LibTorch's kernel is used instead.

}  // namespace assay::kernels::gelu
