// Softmax cross entropy of N rows over this rank's C columns of the vocabulary (Shoeybi et al. 2019, sec. 3), in three
// steps with a reduction over the ranks after the first and the second:
//   largest[n] = max_c logits[n, c]                                              -> maximum over ranks
//   total[n] = sum_c exp(logits[n, c] - largest[n]), own[n] = logits[n, target]  -> sums over ranks
//   loss = ln total + largest - own;  gradient[n, c] = (exp(logits - largest) / total - onehot) * upstream[n]
// Logits are read in place and never copied. The result of a row depends only on that row, bit for bit.
#pragma once

#include <cstdint>

namespace assay::kernels::cross_entropy {

// Columns that exist on this rank; the first is class `begin` of the whole vocabulary. Row n starts at logits + n *
// stride. With no columns largest is -infinity, total and own 0.
struct Slice {
  int64_t rows = 0, columns = 0, stride = 0, begin = 0;
};

// T is float or double. `own` is 0 if the target belongs to another rank.
template <class T>
struct Version {
  void (*largest)(const Slice&, const T* logits, T* largest);
  void (*sums)(const Slice&, const T* logits, const int64_t* targets, const T* largest, T* total, T* own);
  // gradient: [rows, width], contiguous, width >= columns; columns beyond the slice get 0.
  void (*gradient)(const Slice&, const T* logits, const int64_t* targets, const T* largest, const T* total,
                   const T* upstream, int64_t width, T* gradient);
};

template <class T>
const Version<T>& reference();
template <class T>
const Version<T>& cpu();
// Takes pointers to device memory and runs on the default stream, which LibTorch uses. Throws std::runtime_error in a
// build without CUDA.
template <class T>
const Version<T>& cuda();

}  // namespace assay::kernels::cross_entropy
