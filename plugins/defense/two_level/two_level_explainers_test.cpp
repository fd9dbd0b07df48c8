// Explainers against sums worked out by hand: axioms of Shapley values, and the sets that LERG_S draws.
#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <functional>
#include <map>

#include "../explainers.h"
#include "assay/error.h"

namespace assay::testing {
namespace {

using explain::Kept;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const Draws kDraws(1, "explain");

// One value per set.
explain::Values values_of(const std::function<double(Kept)>& value) {
  return [value](const std::vector<Kept>& sets) {
    std::vector<std::vector<double>> all;
    for (const auto set : sets) all.push_back({value(set), -value(set)});
    return all;
  };
}
bool has(Kept set, int i) { return set >> i & 1; }

TEST(Explainers, ShapleyValuesOfASumAreItsParts) {
  const double weight[] = {0.5, -1, 2, 0};
  const auto found = explain::exact_shapley(4, values_of([&](Kept set) {
                                              double sum = 3;
                                              for (int i = 0; i < 4; ++i) sum += has(set, i) ? weight[i] : 0;
                                              return sum;
                                            }));
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(found[i][0], weight[i], 1e-12);
    EXPECT_NEAR(found[i][1], -weight[i], 1e-12);
  }
}

// The glove game: token 0 is a left glove, 1 and 2 right ones, 3 nothing. By hand: 2/3, 1/6, 1/6, 0.
TEST(Explainers, ShapleyValuesOfAGameAreKnown) {
  const auto found = explain::exact_shapley(
      4, values_of([](Kept set) { return has(set, 0) && (has(set, 1) || has(set, 2)) ? 1.0 : 0.0; }));
  EXPECT_NEAR(found[0][0], 2.0 / 3, 1e-12);
  EXPECT_NEAR(found[1][0], 1.0 / 6, 1e-12);
  EXPECT_EQ(found[1][0], found[2][0]);
  EXPECT_EQ(found[3][0], 0);
}

TEST(Explainers, ShapleyValuesAddUp) {
  const auto value = [](Kept set) { return std::sin(static_cast<double>(set * 2654435761U % 1000)); };
  const auto found = explain::exact_shapley(10, values_of(value));
  double sum = 0;
  for (const auto& one : found) sum += one[0];
  EXPECT_NEAR(sum, value(1023) - value(0), 1e-10);
  EXPECT_NEAR(explain::exact_shapley(1, values_of(value))[0][0], value(1) - value(0), 1e-15);
  EXPECT_THAT([&] { explain::exact_shapley(17, values_of(value)); },
              ThrowsMessage<UserError>(HasSubstr("need 2^17 sets; at most 16 tokens are allowed")));
}

// At most half of the tokens are left out, and how many in proportion to C(n, k).
TEST(Explainers, LergDrawsSetsByTheirNumber) {
  for (const int64_t n : {2, 5, 8}) {
    std::map<int64_t, double> counts;
    double all = 0;
    for (int64_t i = 0; i < n; ++i)
      for (uint64_t round = 0; round < 40; ++round)
        for (const auto with : explain::drawn_sets(n, i, kDraws.substream(round))) {
          EXPECT_TRUE(has(with, static_cast<int>(i)));
          ++counts[n - std::popcount(with & ~(Kept{1} << i))];
          ++all;
        }
    double kinds = 0;
    for (int64_t k = 1; k <= n / 2; ++k) kinds += explain::binomial(n, k);
    EXPECT_EQ(static_cast<int64_t>(counts.size()), n / 2);
    for (const auto& [k, count] : counts) {
      const auto p = explain::binomial(n, k) / kinds;
      EXPECT_NEAR(count / all, p, 3.3 * std::sqrt(p * (1 - p) / all) + 1e-12) << n << " " << k;
    }
  }
  EXPECT_EQ(explain::samples_per_token(10), 50);
  EXPECT_EQ(explain::samples_per_token(2), 2);  // one kind of set, of two
  EXPECT_EQ(explain::samples_per_token(400), 1);
}

// Its mean tends to the enumeration of all sets, weighted by C(n, k).
TEST(Explainers, LergTendsToItsEnumeration) {
  constexpr int64_t n = 5;
  const auto value = [](Kept set) { return std::cos(static_cast<double>(set * 40503U % 997)); };
  double kinds = 0;
  for (int64_t k = 1; k <= n / 2; ++k) kinds += explain::binomial(n, k);
  std::vector<double> expected(n);
  for (int i = 0; i < n; ++i)
    for (int64_t k = 1; k <= n / 2; ++k) {
      double sum = 0, sets = 0;
      for (Kept with = 0; with < Kept{1} << n; ++with)
        if (has(with, i) && n - std::popcount(with) + 1 == k)
          sum += value(with) - value(with & ~(Kept{1} << i)), ++sets;
      expected[static_cast<size_t>(i)] += explain::binomial(n, k) / kinds * sum / sets;
    }
  std::vector<double> mean(n);
  constexpr uint64_t kRounds = 400;
  for (uint64_t round = 0; round < kRounds; ++round) {
    const auto found = explain::lerg_s(n, values_of(value), kDraws.substream(round));
    for (size_t i = 0; i < n; ++i) mean[i] += found[i][0] / kRounds;
  }
  for (size_t i = 0; i < n; ++i) EXPECT_NEAR(mean[i], expected[i], 0.05) << i;
}

TEST(Explainers, OneTokenHasTheWholeDifference) {
  const auto found = explain::lerg_s(1, values_of([](Kept set) { return set == 1 ? -0.5 : -3; }), kDraws);
  EXPECT_EQ(found[0][0], 2.5);
  EXPECT_EQ(explain::random_contributions(3, 2, kDraws).size(), 3u);
  EXPECT_NE(explain::random_contributions(3, 2, kDraws)[0], explain::random_contributions(3, 2, kDraws)[1]);
}

}  // namespace
}  // namespace assay::testing
