// softmax(q k^T / sqrt(K) - slope * distance + bias) v for every head, causal or not, without a tensor of scores: a
// block of queries at a time, and the backward pass makes the probabilities again from the logarithm of each query's
// sum. Dao et al. 2022, "FlashAttention", arXiv:2205.14135, sec. 3.1 and app. B; the linear biases of Press et al.
// 2022, arXiv:2108.12409, are computed on the way.
#pragma once

#include <cstdint>
#include <vector>

#include "dropout/dropout.h"

namespace assay::kernels::attention {

// How [rows, time, heads, channels] lies: elements from one to the next; channels have no gaps.
struct Layout {
  int64_t row = 0, time = 0, head = 0;
};

struct Shape {
  int64_t rows = 0, heads = 0, queries = 0, keys = 0, channels = 0;
  bool causal = true;             // query i sees keys 0 .. i + keys - queries; else all
  Layout query, key, value, out;  // the gradient of out lies as out
  Layout d_query, d_key, d_value;
};

// Distance is query position - key position, its absolute value where attention is not causal. slopes [heads] may be
// null: no such bias, and positions are not read. Positions [rows, queries] and [rows, keys], or one row for all.
template <class T>
struct Bias {
  const T* slopes = nullptr;
  const T* query_positions = nullptr;
  const T* key_positions = nullptr;
  bool shared_positions = true;
  // Added to the scores as it stands, [rows, heads, queries, keys] or one row for all; may be null. Of its gradient the
  // backward pass writes what every row gives, [rows, heads, queries, keys], where it is given a place for it.
  const T* dense = nullptr;
  bool shared_dense = true;
  T* d_dense = nullptr;
  // [rows, keys]; false: padding, which no query sees but the one at its own place. May be null.
  const bool* key_mask = nullptr;
};

// Dropout of probabilities, drawn as kernels/dropout draws it, with the key's number as channel; none where row_id is
// null.
using dropout::Mask;

// Work is numbered by (row, head): both compute units first .. last - 1 and write nothing of others. log_sum is [rows,
// heads, queries] without gaps. T is float or double.
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
// For each instruction set that this machine has, the best first, which is cpu's.
template <class T>
struct Named {
  const char* instructions;
  const Version<T>& version;
};
template <class T>
std::vector<Named<T>> cpu_versions();
// On a GPU LibTorch's own fused attention is used instead: there is no CUDA version.

}  // namespace assay::kernels::attention
