// Sums in fp64.
#include "few_rows/few_rows.h"

namespace assay::kernels::few_rows {
namespace {

template <class T>
void product(int64_t rows, int64_t in, int64_t out, int64_t first, int64_t last, const T* x, const T* weight,
             const T* bias, T* y) {
  for (int64_t m = 0; m < rows; ++m)
    for (int64_t n = first; n < last; ++n) {
      double sum = bias ? bias[n] : 0;
      for (int64_t k = 0; k < in; ++k) sum += static_cast<double>(x[m * in + k]) * weight[n * in + k];
      y[m * out + n] = static_cast<T>(sum);
    }
}

}  // namespace

template <class T>
const Version<T>& reference() {
  static const Version<T> version{product<T>};
  return version;
}
template const Version<float>& reference<float>();
template const Version<double>& reference<double>();

}  // namespace assay::kernels::few_rows
