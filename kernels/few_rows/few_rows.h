// y = x W^T + b for a handful of rows, as decoding has them: a library's product spends more on its preparations than
// on these. W is read once for all rows of a group, and every element of y is one sum in an order that does not depend
// on how many rows there are: a row has the same bits alone and among others.
#pragma once

#include <cstdint>

namespace assay::kernels::few_rows {

// x [rows, in], weight [out, in], y [rows, out] without gaps; bias [out] or null. Computes columns first .. last - 1 of
// y and writes nothing else. T is float or double.
template <class T>
struct Version {
  void (*product)(int64_t rows, int64_t in, int64_t out, int64_t first, int64_t last, const T* x, const T* weight,
                  const T* bias, T* y);
};

template <class T>
const Version<T>& reference();
template <class T>
const Version<T>& cpu();
// On a GPU LibTorch's own product is used instead: there is no CUDA version.

}  // namespace assay::kernels::few_rows
