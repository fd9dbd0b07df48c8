// "none" does not change embeddings, queries, keys and scores.
#include <ATen/ops/arange.h>
#include <gtest/gtest.h>

#include "assay/positional.h"
#include "fakes.h"

namespace assay::testing {
namespace {

TEST(NoPositions, ChangesNothing) {
  const auto none = make<Positional>("none");
  const auto x = at::arange(8, at::kFloat).view({1, 4, 2}), q = x + 1, k = x + 2;
  const AttentionContext context;
  EXPECT_TRUE(none->embed(x, at::arange(4, at::kLong).unsqueeze(0)).is_same(x));
  const auto [rotated_q, rotated_k] = none->rotate(q, k, context);
  EXPECT_TRUE(rotated_q.is_same(q));
  EXPECT_TRUE(rotated_k.is_same(k));
  EXPECT_TRUE(none->attention_bias(context).empty());
  EXPECT_FALSE(none->limit());
}

}  // namespace
}  // namespace assay::testing
