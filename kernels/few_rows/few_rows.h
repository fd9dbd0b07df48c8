// y = x W^T + b for a few rows, as in decoding, where the setup of a library product takes longer than the product. W
// is read once for all rows of a group, and every element of y is one sum whose order does not depend on the number of
// rows, so a row has the same bits alone and with others.
#pragma once

#include <cstdint>

namespace assay::kernels::few_rows {

// x [rows, in], weight [out, in], y [rows, out], all contiguous; bias [out] or null. Computes columns first .. last - 1
// of y and writes nothing else. T is float or double.
template <class T>
struct Version {
  void (*product)(int64_t rows, int64_t in, int64_t out, int64_t first, int64_t last, const T* x, const T* weight,
                  const T* bias, T* y);
};

template <class T>
const Version<T>& reference();
template <class T>
const Version<T>& cpu();
// There is no CUDA version; on a GPU, LibTorch's product is used instead.

}  // namespace assay::kernels::few_rows
