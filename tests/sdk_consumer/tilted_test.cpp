// This test uses assay/testing.h alone.
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "assay/positional.h"
#include "assay/testing.h"

namespace assay::testing {
namespace {

TEST(Tilted, EveryRankHasTheSlopesOfItsHeads) {
  for (const int ranks : {1, 2, 4})
    on_ranks(ranks, [&](const Mesh& mesh) {
      const auto scheme = make<Positional>("tilted", R"({"slope": 0.5})");
      scheme->fit({.layers = 1, .heads = 4, .width = 8});
      const Built built(*scheme, mesh);
      const auto slopes = scheme->attention_bias({}).slopes_H;
      EXPECT_EQ(slopes.numel(), 4 / ranks);
      for (const double slope : values_of(slopes)) EXPECT_NEAR(slope, 0.5, 1e-15);
      EXPECT_EQ(built.parameter("direction").numel(), 8);
    });
}

TEST(Tilted, GradientOfTheDirection) {
  const auto scheme = make<Positional>("tilted");
  on_ranks(1, [&](const Mesh& mesh) {
    scheme->fit({.layers = 1, .heads = 2, .width = 4});
    const Built built(*scheme, mesh);
    const auto direction = built.parameter("direction");
    const auto positions = at::arange(5, at::kLong).unsqueeze(0);
    const auto loss = [&] { return scheme->embed(at::zeros({1, 5, 4}, at::kDouble), positions).cos().sum(); };
    loss().backward();
    const auto expected = finite_differences(direction.detach(), [&] { return loss().item<double>(); });
    const auto found = values_of(direction.grad());
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-9);
  });
}

}  // namespace
}  // namespace assay::testing
