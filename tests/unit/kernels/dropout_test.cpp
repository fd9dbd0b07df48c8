// The frozen layout of dropout's draws: these masks must never change. They were computed by an independent
// Philox4x32-10 (in Python), which gives the published known answers.
#include "dropout/dropout.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace assay::kernels::dropout {
namespace {

// '1' for every kept channel.
std::string mask_of(Function<float> run, int64_t row, int64_t head, int64_t position) {
  constexpr int64_t kChannels = 24;
  const std::vector<float> x(kChannels, 3);
  std::vector<float> out(kChannels);
  run({1, 1, 1, kChannels}, {0x67afeeca68b2f6ac, 1U << 30, 1 / 0.75, head, &row, &position}, x.data(), out.data());
  std::string mask;
  for (const auto y : out) {
    EXPECT_TRUE(y == 0 || y == 4) << y;
    mask += y == 0 ? '0' : '1';
  }
  return mask;
}

TEST(KernelDropout, FrozenLayout) {
  for (const auto version : {reference<float>, cpu<float>}) {
    EXPECT_EQ(mask_of(version, 0, 0, 0), "110111011011111111100100");
    EXPECT_EQ(mask_of(version, 1000003, 5, 17), "001010111101111110111011");
  }
}

}  // namespace
}  // namespace assay::kernels::dropout
