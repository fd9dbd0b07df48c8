// Philox4x32-10 (Salmon et al. 2011) for sixteen counters at a time, in lanes that the compiler vectorises; to be
// inlined into functions of one instruction set.
#pragma once

#include <cstdint>

namespace assay::kernels::dropout {

constexpr int kLanes = 16;
constexpr int64_t kDrawn = 4 * kLanes;  // words per call

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

}  // namespace assay::kernels::dropout
