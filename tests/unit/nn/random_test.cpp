// Philox4x32-10 against the known answers of its authors (Random123, kat_vectors), and the draws that are made from it.
#include "assay/random.h"

#include <gtest/gtest.h>

#include <set>

namespace assay::nn {
namespace {

TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, 0), (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, 0xffffffffffffffff),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// The layout is frozen: these values must never change.
TEST(Draws, FrozenLayout) {
  EXPECT_NE(stream_key(0, "a"), stream_key(0, "b"));
  EXPECT_NE(stream_key(0, "a"), stream_key(1, "a"));
  const Draws draws(1, "frozen");
  EXPECT_EQ(draws.bits(0), philox4x32({0, 0, 0, 0}, stream_key(1, "frozen"))[0] |
                               uint64_t{philox4x32({0, 0, 0, 0}, stream_key(1, "frozen"))[1]} << 32);
  EXPECT_EQ(stream_key(1, "frozen"), 0x67afeeca68b2f6acULL);  // computed independently of this code
}

TEST(Draws, UniformBelowAndNormalHaveTheirMoments) {
  const Draws draws(9, "moments");
  constexpr int kCount = 200000;
  double mean = 0, square = 0, cube = 0, uniform = 0;
  int counts[5] = {};
  for (uint64_t i = 0; i < kCount; ++i) {
    const double x = draws.normal(i);
    mean += x / kCount;
    square += x * x / kCount;
    cube += x * x * x / kCount;
    uniform += draws.uniform(i) / kCount;
    ++counts[draws.below(5, i)];
  }
  EXPECT_NEAR(mean, 0, 5 / std::sqrt(kCount));
  EXPECT_NEAR(square, 1, 5 * std::sqrt(2.0 / kCount));
  EXPECT_NEAR(cube, 0, 5 * std::sqrt(15.0 / kCount));
  EXPECT_NEAR(uniform, 0.5, 5 * std::sqrt(1.0 / 12 / kCount));
  for (const int count : counts) EXPECT_NEAR(count, kCount / 5, 5 * std::sqrt(kCount * 0.16));
}

TEST(Draws, SubstreamsDiffer) {
  const Draws draws(9, "family");
  std::set<uint64_t> seen;
  for (uint64_t item = 0; item < 200; ++item)
    for (uint64_t i = 0; i < 20; ++i) seen.insert(draws.substream(item).substream(i).bits(i));
  for (uint64_t i = 0; i < 100; ++i) seen.insert(draws.bits(i));
  EXPECT_EQ(seen.size(), 4100U);
}

}  // namespace
}  // namespace assay::nn
