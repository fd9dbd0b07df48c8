// Computes draws for sixteen blocks of four channels at a time.
#include <algorithm>

#include "dropout/draw.h"
#include "dropout/dropout.h"
#include "vector.h"

namespace assay::kernels::dropout {
namespace {

template <class T>
[[gnu::always_inline]] inline void apply(const Shape& shape, const Mask& mask, const T* x, T* out) {
  const auto scale = static_cast<T>(mask.scale);
  uint32_t words[kDrawn];
  for (int64_t b = 0; b < shape.rows; ++b)
    for (int64_t h = 0; h < shape.heads; ++h)
      for (int64_t q = 0; q < shape.queries; ++q, x += shape.channels, out += shape.channels)
        for (int64_t c = 0; c < shape.channels; c += kDrawn) {
          draw(static_cast<uint32_t>(c / 4), static_cast<uint32_t>(mask.positions[b * shape.queries + q]),
               static_cast<uint32_t>(mask.head_begin + h), static_cast<uint32_t>(mask.row_id[b]), mask.key, words);
          const int64_t count = std::min(kDrawn, shape.channels - c);
          for (int64_t i = 0; i < count; ++i) out[c + i] = words[i] < mask.threshold ? T{0} : x[c + i] * scale;
        }
}

// Clones need plain functions.
ASSAY_CLONES void apply_f32(const Shape& shape, const Mask& mask, const float* x, float* out) {
  apply(shape, mask, x, out);
}
ASSAY_CLONES void apply_f64(const Shape& shape, const Mask& mask, const double* x, double* out) {
  apply(shape, mask, x, out);
}

}  // namespace

template <>
void cpu<float>(const Shape& shape, const Mask& mask, const float* x, float* out) {
  apply_f32(shape, mask, x, out);
}
template <>
void cpu<double>(const Shape& shape, const Mask& mask, const double* x, double* out) {
  apply_f64(shape, mask, x, out);
}

}  // namespace assay::kernels::dropout
