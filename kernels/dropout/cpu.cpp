// Sixteen counters at a time, in lanes that the compiler makes vectors of.
#include <algorithm>

#include "dropout/dropout.h"

// One copy of a function for each instruction set; the loader picks the machine's.
#define ASSAY_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))

namespace assay::kernels::dropout {
namespace {

constexpr int kLanes = 16;

// Words 0..3 of counters first_block + lane, as words[4 * lane + word].
[[gnu::always_inline]] inline void draw(uint32_t first_block, uint32_t position, uint32_t head, uint32_t row,
                                        uint64_t key, uint32_t* words) {
  uint32_t c0[kLanes], c1[kLanes], c2[kLanes], c3[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    c0[i] = first_block + static_cast<uint32_t>(i);
    c1[i] = position;
    c2[i] = head;
    c3[i] = row;
  }
  auto key0 = static_cast<uint32_t>(key), key1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < kLanes; ++i) {
      const uint64_t a = uint64_t{0xD2511F53} * c0[i], b = uint64_t{0xCD9E8D57} * c2[i];
      c0[i] = static_cast<uint32_t>(b >> 32) ^ c1[i] ^ key0;
      c1[i] = static_cast<uint32_t>(b);
      c2[i] = static_cast<uint32_t>(a >> 32) ^ c3[i] ^ key1;
      c3[i] = static_cast<uint32_t>(a);
    }
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  for (int i = 0; i < kLanes; ++i) {
    words[4 * i] = c0[i];
    words[4 * i + 1] = c1[i];
    words[4 * i + 2] = c2[i];
    words[4 * i + 3] = c3[i];
  }
}

template <class T>
[[gnu::always_inline]] inline void apply(const Shape& shape, const Mask& mask, const T* x, T* out) {
  const auto scale = static_cast<T>(mask.scale);
  uint32_t words[4 * kLanes];
  for (int64_t b = 0; b < shape.rows; ++b)
    for (int64_t h = 0; h < shape.heads; ++h)
      for (int64_t q = 0; q < shape.queries; ++q, x += shape.channels, out += shape.channels)
        for (int64_t c = 0; c < shape.channels; c += 4 * kLanes) {
          draw(static_cast<uint32_t>(c / 4), static_cast<uint32_t>(mask.positions[b * shape.queries + q]),
               static_cast<uint32_t>(mask.head_begin + h), static_cast<uint32_t>(mask.row_id[b]), mask.key, words);
          const int64_t count = std::min<int64_t>(4 * kLanes, shape.channels - c);
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
