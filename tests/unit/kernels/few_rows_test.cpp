// A row of a product has the same bits alone and among others, and computing a part of the columns leaves the others
// unchanged.
#include "few_rows/few_rows.h"

#include <gtest/gtest.h>

#include "case.h"

namespace assay::kernels {
namespace {

template <class T>
std::vector<T> drawn_numbers(size_t count, uint64_t seed) {
  const auto made = made_numbers(count, seed);
  return {made.begin(), made.end()};
}

template <class T>
void expect_rows_alone() {
  constexpr size_t kRows = 13, kIn = 37, kOut = 19;
  const auto x = drawn_numbers<T>(kRows * kIn, 1), weight = drawn_numbers<T>(kOut * kIn, 2),
             bias = drawn_numbers<T>(kOut, 3);
  const auto& version = few_rows::cpu<T>();
  for (size_t rows = 1; rows <= kRows; ++rows) {
    std::vector<T> together(rows * kOut), alone(kOut);
    version.product(static_cast<int64_t>(rows), kIn, kOut, 0, kOut, x.data(), weight.data(), bias.data(),
                    together.data());
    for (size_t row = 0; row < rows; ++row) {
      version.product(1, kIn, kOut, 0, kOut, x.data() + row * kIn, weight.data(), bias.data(), alone.data());
      EXPECT_EQ(std::vector<T>(together.begin() + static_cast<std::ptrdiff_t>(row * kOut),
                               together.begin() + static_cast<std::ptrdiff_t>((row + 1) * kOut)),
                alone)
          << row << " of " << rows;
    }
  }
}

TEST(FewRows, ARowHasTheSameBitsAloneAndAmongOthers) {
  expect_rows_alone<float>();
  expect_rows_alone<double>();
}

TEST(FewRows, APartOfTheColumnsEqualsTheWholeProduct) {
  constexpr int64_t kRows = 3, kIn = 21, kOut = 18;
  const auto x = drawn_numbers<float>(kRows * kIn, 1), weight = drawn_numbers<float>(kOut * kIn, 2);
  std::vector<float> whole(kRows * kOut), part(kRows * kOut, -7);
  few_rows::cpu<float>().product(kRows, kIn, kOut, 0, kOut, x.data(), weight.data(), nullptr, whole.data());
  few_rows::cpu<float>().product(kRows, kIn, kOut, 5, 16, x.data(), weight.data(), nullptr, part.data());
  for (size_t i = 0; i < part.size(); ++i) EXPECT_EQ(part[i], i % kOut >= 5 && i % kOut < 16 ? whole[i] : -7) << i;
}

}  // namespace
}  // namespace assay::kernels
