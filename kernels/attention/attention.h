// softmax(q k^T / sqrt(K) - slope * distance + bias) v for every head, causal or not, without a tensor of scores: it
// processes one block of queries at a time, and the backward pass recomputes the probabilities from the log-sum of each
// query. Dao et al. 2022, "FlashAttention", arXiv:2205.14135, sec. 3.1 and app. B; the linear biases of Press et al.
// 2022, arXiv:2108.12409, are computed inside the kernel.
#pragma once

#include <cstdint>
#include <vector>

#include "dropout/dropout.h"

namespace assay::kernels::attention {

// Strides of [rows, time, heads, channels] in elements; channels are contiguous.
struct Layout {
  int64_t row = 0, time = 0, head = 0;
};

struct Shape {
  int64_t rows = 0, heads = 0, queries = 0, keys = 0, channels = 0;
  bool causal = true;             // query i attends to keys 0 .. i + keys - queries; else to all
  Layout query, key, value, out;  // the gradient of out has the layout of out
  Layout d_query, d_key, d_value;
};

// Distance is query position - key position, or its absolute value if attention is not causal. slopes [heads] may be
// null: then there is no such bias, and positions are not read. Positions [rows, queries] and [rows, keys], or one row
// for all.
template <class T>
struct Bias {
  const T* slopes = nullptr;
  const T* query_positions = nullptr;
  const T* key_positions = nullptr;
  bool shared_positions = true;
  // Added to the scores, [rows, heads, queries, keys] or one row for all; may be null. The backward pass writes its
  // gradient per row, [rows, heads, queries, keys], if d_dense is not null.
  const T* dense = nullptr;
  bool shared_dense = true;
  T* d_dense = nullptr;
  // [rows, keys]; false: padding, visible only to the query at the same index. May be null.
  const bool* key_mask = nullptr;
};

// Dropout of probabilities, drawn as in kernels/dropout with the key index as channel; none if row_id is null.
using dropout::Mask;

// A unit of work is one (row, head): both functions compute units first .. last - 1 and write only these. log_sum is
// [rows, heads, queries], contiguous. T is float or double.
template <class T>
struct Version {
  void (*forward)(const Shape&, const Bias<T>&, const Mask&, int64_t first, int64_t last, const T* q, const T* k,
                  const T* v, T* out, T* log_sum);
  void (*backward)(const Shape&, const Bias<T>&, const Mask&, int64_t first, int64_t last, const T* q, const T* k,
                   const T* v, const T* out, const T* log_sum, const T* d_out, T* d_q, T* d_k, T* d_v);
};

template <class T>
const Version<T>& reference();
template <class T>
const Version<T>& cpu();
// One version per instruction set of this machine, the best first, which cpu() returns.
template <class T>
struct Named {
  const char* instructions;
  const Version<T>& version;
};
template <class T>
std::vector<Named<T>> cpu_versions();
// There is no CUDA version; on a GPU, LibTorch's fused attention is used instead.

}  // namespace assay::kernels::attention
