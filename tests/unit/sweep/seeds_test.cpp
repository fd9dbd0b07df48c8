// Seeds that are added to a study.
#include "sweep/seeds.h"

#include <gmock/gmock.h>

namespace assay::sweep {
namespace {

using Numbers = std::vector<std::vector<int64_t>>;

Numbers with(std::vector<Seed> seeds, size_t at_least) {
  add_seeds(seeds, at_least);
  Numbers numbers;
  for (const auto& seed : seeds) numbers.push_back({seed.shown, seed.init, seed.data});
  return numbers;
}

TEST(AddSeeds, FollowTheLargest) {
  EXPECT_EQ(with({{5, 5, 5}, {2, 2, 2}}, 4), (Numbers{{5, 5, 5}, {2, 2, 2}, {6, 6, 6}, {7, 7, 7}}));
  EXPECT_EQ(with({{1, 1, 1}, {2, 2, 2}}, 2), (Numbers{{1, 1, 1}, {2, 2, 2}}));
}

TEST(AddSeeds, VaryWhatVaried) {
  EXPECT_EQ(with({{1, 1, 3}, {2, 2, 3}}, 3), (Numbers{{1, 1, 3}, {2, 2, 3}, {3, 3, 3}}));
  EXPECT_EQ(with({{1, 1, 1}, {2, 1, 2}}, 3), (Numbers{{1, 1, 1}, {2, 1, 2}, {3, 1, 3}}));
  EXPECT_EQ(with({{7, 7, 1}}, 2), (Numbers{{7, 7, 1}, {8, 8, 1}}));
}

}  // namespace
}  // namespace assay::sweep
