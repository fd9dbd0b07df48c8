// The plain form: element by element, with one block of draws each.
#include "dropout/dropout.h"

namespace assay::kernels::dropout {
namespace {

struct Block {
  uint32_t words[4];
};

Block philox4x32_10(Block counter, uint64_t key) {
  auto key0 = static_cast<uint32_t>(key), key1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint32_t* c = counter.words;
    const uint64_t a = uint64_t{0xD2511F53} * c[0], b = uint64_t{0xCD9E8D57} * c[2];
    counter = {{static_cast<uint32_t>(b >> 32) ^ c[1] ^ key0, static_cast<uint32_t>(b),
                static_cast<uint32_t>(a >> 32) ^ c[3] ^ key1, static_cast<uint32_t>(a)}};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return counter;
}

}  // namespace

template <class T>
void reference(const Shape& shape, const Mask& mask, const T* x, T* out) {
  for (int64_t b = 0; b < shape.rows; ++b)
    for (int64_t h = 0; h < shape.heads; ++h)
      for (int64_t q = 0; q < shape.queries; ++q)
        for (int64_t c = 0; c < shape.channels; ++c) {
          const auto drawn = philox4x32_10(
              {{static_cast<uint32_t>(c / 4), static_cast<uint32_t>(mask.positions[b * shape.queries + q]),
                static_cast<uint32_t>(mask.head_begin + h), static_cast<uint32_t>(mask.row_id[b])}},
              mask.key);
          const int64_t at = ((b * shape.heads + h) * shape.queries + q) * shape.channels + c;
          out[at] = drawn.words[c % 4] < mask.threshold ? T{0} : x[at] * static_cast<T>(mask.scale);
        }
}
template void reference<float>(const Shape&, const Mask&, const float*, float*);
template void reference<double>(const Shape&, const Mask&, const double*, double*);

}  // namespace assay::kernels::dropout
