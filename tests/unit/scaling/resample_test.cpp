// The indices are those of numpy 2.4.6's RandomState.
#include "scaling/resample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assay/error.h"

namespace assay::scaling {
namespace {

using ::testing::ElementsAre;

std::vector<std::size_t> first(std::vector<std::size_t> indices, std::size_t count) {
  indices.resize(count);
  return indices;
}

TEST(Resample, WithReplacementEqualsNumpy) {
  Resampler resampler(234, 7);
  EXPECT_THAT(first(resampler.with_replacement(), 8), ElementsAre(175, 196, 25, 67, 211, 151, 103, 92));
  Resampler five(5, 3);  // one generator for all, in sequence
  EXPECT_THAT(five.with_replacement(), ElementsAre(2, 0, 1, 3, 0));
  EXPECT_THAT(five.with_replacement(), ElementsAre(0, 0, 3, 2, 3));
  EXPECT_THAT(five.with_replacement(), ElementsAre(1, 1, 2, 0, 4));
}

TEST(Resample, SubsetsEqualNumpy) {
  Resampler resampler(234, 7);
  EXPECT_THAT(first(resampler.subset(187), 8), ElementsAre(140, 80, 84, 197, 3, 85, 101, 11));
  Resampler five(5, 3);
  EXPECT_THAT(five.subset(3), ElementsAre(3, 4, 1));
  EXPECT_THAT(five.subset(3), ElementsAre(2, 1, 3));
}

TEST(Resample, OneRow) { EXPECT_THAT(Resampler(1, 0).with_replacement(), ElementsAre(0)); }

TEST(Resample, AFractionMakesSubsets) {
  const auto samples = resamples_of(5, {.resamples = 2, .seed = 3, .subset_fraction = 0.6});
  EXPECT_THAT(samples, ElementsAre(ElementsAre(3, 4, 1), ElementsAre(2, 1, 3)));
  EXPECT_THROW(resamples_of(5, {.resamples = 2, .seed = 3, .subset_fraction = 0.6}, 5), UserError);
  EXPECT_EQ(resamples_of(5, {.resamples = 2, .seed = 3})[1], (std::vector<std::size_t>{0, 0, 3, 2, 3}));
}

}  // namespace
}  // namespace assay::scaling
