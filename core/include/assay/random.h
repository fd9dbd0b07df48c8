// Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
// Every draw is a pure function of (seed, stream, index); there is no generator state. The layout is frozen: a change
// would change every result.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace assay {

using PhiloxBlock = std::array<uint32_t, 4>;

inline PhiloxBlock philox4x32(PhiloxBlock counter, uint64_t key) {
  auto key0 = static_cast<uint32_t>(key);
  auto key1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * counter[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key0, static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key1, static_cast<uint32_t>(product0)};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return counter;
}

// The 64-bit key of a named stream: FNV-1a over the name, mixed with the seed by splitmix64's finaliser.
inline uint64_t stream_key(uint64_t seed, std::string_view stream) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : stream) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  const auto mix = [](uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
  };
  return mix(hash ^ mix(seed + 0x9e3779b97f4a7c15));
}

// The draws of one stream, by index. Copies are cheap. substream(i) returns an independent stream for item i.
class Draws {
 public:
  Draws(uint64_t seed, std::string_view stream) : Draws(stream_key(seed, stream), uint64_t{0}) {}

  // An independent stream for an item (a document, a row, a step) of this stream. Substreams nest.
  Draws substream(uint64_t item) const {
    const auto block =
        philox4x32({0xFFFFFFFF, 0x5EED, static_cast<uint32_t>(item), static_cast<uint32_t>(item >> 32)}, key_);
    return Draws((uint64_t{block[1]} << 32) | block[0], (uint64_t{block[3]} << 32) | block[2]);
  }

  PhiloxBlock block(uint64_t index) const {
    return philox4x32({static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), static_cast<uint32_t>(high_),
                       static_cast<uint32_t>(high_ >> 32)},
                      key_);
  }
  uint64_t bits(uint64_t index) const {
    const auto words = block(index);
    return (uint64_t{words[1]} << 32) | words[0];
  }
  // Uniform in [0, 1), 53 bits.
  double uniform(uint64_t index) const { return static_cast<double>(bits(index) >> 11) * 0x1p-53; }
  // An integer in [0, bound), bound >= 1, by multiplication; its bias is below bound / 2^64.
  uint64_t below(uint64_t bound, uint64_t index) const {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(bits(index)) * bound) >> 64);
  }
  // Standard normal (Box-Muller). Index i uses half of block i / 2, so two neighbouring indices share a block.
  double normal(uint64_t index) const {
    const auto words = block(index / 2);
    const double radius_draw =
        (static_cast<double>(words[0]) + 0.5 + static_cast<double>(words[2] & 0xFFFFF) * 0x1p-20) * 0x1p-32;
    const double angle = (static_cast<double>(words[1]) + 0.5) * (0x1p-32 * 6.283185307179586476925286766559);
    const double radius = std::sqrt(-2.0 * std::log(radius_draw < 1.0 ? radius_draw : 1.0));
    return radius * (index % 2 == 0 ? std::cos(angle) : std::sin(angle));
  }

 private:
  Draws(uint64_t key, uint64_t high) : key_(key), high_(high) {}
  uint64_t key_, high_;
};

}  // namespace assay
