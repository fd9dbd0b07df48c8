// Greedy decoding takes the highest logit of every row.
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include "fake_decoding.h"

namespace assay::testing {
namespace {

TEST(Greedy, TakesTheHighestOfEveryRow) {
  const auto greedy = make<Decoder>("greedy");
  const auto logits = at::tensor({0.5, -1.0, 2.0, 1.5, -3.0, -1.0, -2.0, -1.5}).view({2, 4});
  EXPECT_THAT(chosen(*greedy, FakeDecoding(logits)), ::testing::ElementsAre(2, 1));
}

TEST(Greedy, OfEqualLogitsTheLowestId) {
  const auto greedy = make<Decoder>("greedy");
  auto many = at::zeros({3, 5000});
  many.select(0, 1).narrow(0, 17, 4000).fill_(2.0);
  many.select(0, 2).narrow(0, 4999, 1).fill_(1.0);
  EXPECT_THAT(chosen(*greedy, FakeDecoding(many)), ::testing::ElementsAre(0, 17, 4999));
}

}  // namespace
}  // namespace assay::testing
