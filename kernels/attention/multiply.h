// Small matrix products in registers, to be inlined into functions of one instruction set: a tile of rows by two
// vectors of columns stays in registers over the whole inner dimension. Every element is one sum in the order of that
// dimension, independent of the vector width.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace assay::kernels {

// Bytes of a vector and rows of a tile that fit into the registers of an instruction set.
template <class Number, int kBytes, int kTileRows>
struct Vectors {
  using T = Number;
  typedef T Vector __attribute__((vector_size(kBytes)));
  static constexpr int64_t kWidth = kBytes / static_cast<int>(sizeof(T));
  static constexpr int kRows = kTileRows;
};

template <class V, int kRows, int kColumns>
[[gnu::always_inline]] inline void multiply_tile(int64_t inner, const typename V::T* a, int64_t a_row, int64_t a_inner,
                                                 const typename V::T* b, int64_t b_inner, typename V::T* c,
                                                 int64_t c_row, bool add) {
  using Vector = typename V::Vector;
  Vector sums[kRows][kColumns];
  for (int r = 0; r < kRows; ++r)
    for (int n = 0; n < kColumns; ++n) {
      if (add)
        std::memcpy(&sums[r][n], c + r * c_row + n * V::kWidth, sizeof(Vector));
      else
        sums[r][n] = Vector{};
    }
  for (int64_t k = 0; k < inner; ++k) {
    Vector right[kColumns];
    for (int n = 0; n < kColumns; ++n) std::memcpy(&right[n], b + k * b_inner + n * V::kWidth, sizeof(Vector));
    for (int r = 0; r < kRows; ++r) {
      const typename V::T left = a[r * a_row + k * a_inner];
      for (int n = 0; n < kColumns; ++n) sums[r][n] += left * right[n];
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int n = 0; n < kColumns; ++n) std::memcpy(c + r * c_row + n * V::kWidth, &sums[r][n], sizeof(Vector));
}

template <class V, int kRows, int kColumns>
[[gnu::always_inline]] inline void multiply_rows(int64_t rows, int64_t inner, const typename V::T* a, int64_t a_row,
                                                 int64_t a_inner, const typename V::T* b, int64_t b_inner,
                                                 typename V::T* c, int64_t c_row, bool add) {
  int64_t m = 0;
  for (; m + kRows <= rows; m += kRows)
    multiply_tile<V, kRows, kColumns>(inner, a + m * a_row, a_row, a_inner, b, b_inner, c + m * c_row, c_row, add);
  if constexpr (kRows > 1)
    if (m < rows)
      multiply_rows<V, kRows / 2, kColumns>(rows - m, inner, a + m * a_row, a_row, a_inner, b, b_inner, c + m * c_row,
                                            c_row, add);
}

// c [rows, columns] = a [rows, inner] b [inner, columns], or c += with add. Rows of a and elements of its rows have
// strides a_row and a_inner; columns is a multiple of the vector width.
template <class V>
[[gnu::always_inline]] inline void multiply(int64_t rows, int64_t columns, int64_t inner, const typename V::T* a,
                                            int64_t a_row, int64_t a_inner, const typename V::T* b, int64_t b_inner,
                                            typename V::T* c, int64_t c_row, bool add) {
  int64_t n = 0;
  for (; n + 2 * V::kWidth <= columns; n += 2 * V::kWidth)
    multiply_rows<V, V::kRows, 2>(rows, inner, a, a_row, a_inner, b + n, b_inner, c + n, c_row, add);
  if (n < columns) multiply_rows<V, V::kRows, 1>(rows, inner, a, a_row, a_inner, b + n, b_inner, c + n, c_row, add);
}

}  // namespace assay::kernels
