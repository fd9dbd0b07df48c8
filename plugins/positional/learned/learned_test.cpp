// Learned positions: rows of the table by position, gradients against finite differences, and the limit.
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "assay/positional.h"
#include "assay/random.h"
#include "fakes.h"
#include "mesh/backends.h"
#include "nn/store.h"

namespace assay::testing {
namespace {

using ::testing::HasSubstr;

// Returns the scheme with its table, as a model of width 4 builds it.
struct Built {
  explicit Built(const nlohmann::json& parameters = {{"positions", 6}})
      : scheme(make<Positional>("learned", parameters)) {
    scheme->fit({.layers = 1, .heads = 1, .width = 4});
    Parameters scope(store, "model.positional.");
    scheme->build(scope);
  }
  Parameter& table() { return store->parameters.at(0); }

  std::unique_ptr<Mesh> mesh = mesh::shape_mesh(1, 1);
  std::shared_ptr<Parameters::Store> store =
      std::make_shared<Parameters::Store>(Parameters::Store{mesh.get(), at::TensorOptions().dtype(at::kDouble), 3});
  Made<Positional> scheme;
};

Tensor positions(const std::vector<int64_t>& values, at::IntArrayRef shape) {
  return at::tensor(values, at::kLong).view(shape);
}

TEST(Learned, AddsTheRowOfEachPosition) {
  Built built;
  const auto& table = built.table().value;
  const auto x = at::arange(24, at::kDouble).view({2, 3, 4});
  const auto out = built.scheme->embed(x, positions({5, 0, 2, 1, 1, 4}, {2, 3}));
  const std::vector<int64_t> rows{5, 0, 2, 1, 1, 4};
  for (int64_t i = 0; i < 6; ++i)
    for (int64_t d = 0; d < 4; ++d)
      EXPECT_EQ(out.view({6, 4})[i][d].item<double>(),
                static_cast<double>(i * 4 + d) + table[rows[static_cast<size_t>(i)]][d].item<double>());
  // One row of positions is used for the whole batch.
  EXPECT_TRUE(built.scheme->embed(x, positions({3, 4, 5}, {1, 3}))
                  .equal(built.scheme->embed(x, positions({3, 4, 5, 3, 4, 5}, {2, 3}))));
}

TEST(Learned, TheTableIsDrawnAndReplicated) {
  Built built;
  EXPECT_EQ(built.table().spec.name, "model.positional.weight");
  EXPECT_EQ(built.table().spec.shard_dim, -1);
  EXPECT_EQ(built.table().value.sizes(), (std::vector<int64_t>{6, 4}));
  const Draws draws(3, "model.positional.weight");
  for (uint64_t i = 0; i < 24; ++i) EXPECT_EQ(values_of(built.table().value)[i], 0.02 * draws.normal(i)) << i;
  Built wide({{"positions", 6}, {"init_std", 0.5}});
  EXPECT_EQ(values_of(wide.table().value)[7], 0.5 * draws.normal(7));
}

// loss = sum of w * out^2 over a batch in which position 1 occurs four times and position 5 never.
TEST(Learned, GradientsAgreeWithFiniteDifferences) {
  Built built;
  const auto x = at::arange(24, at::kDouble).view({2, 3, 4}) * 0.1,
             w = at::arange(24, at::kDouble).view({2, 3, 4}).cos();
  const auto at_positions = positions({1, 0, 1, 1, 4, 1}, {2, 3});
  const auto loss = [&] { return (w * built.scheme->embed(x, at_positions).pow(2)).sum(); };
  loss().backward();
  const auto& table = built.table().value;
  const auto gradient = values_of(table.grad());
  auto values = table.detach().view({-1});
  for (int64_t i = 0; i < values.numel(); ++i) {
    const double before = values[i].item<double>(), h = 1e-5;
    values[i].fill_(before + h);
    const double up = loss().item<double>();
    values[i].fill_(before - h);
    const double down = loss().item<double>();
    values[i].fill_(before);
    EXPECT_NEAR(gradient[static_cast<size_t>(i)], (up - down) / (2 * h), 1e-9) << i;
  }
  for (size_t d = 0; d < 4; ++d) EXPECT_EQ(gradient[5 * 4 + d], 0);
}

TEST(Learned, ItsTableIsItsLimit) {
  Built built;
  EXPECT_EQ(built.scheme->limit(), 6);
  const auto x = at::zeros({1, 2, 4}, at::kDouble);
  built.scheme->embed(x, positions({0, 5}, {1, 2}));
  try {
    built.scheme->embed(x, positions({0, 6}, {1, 2}));
    FAIL() << "a position beyond the table was taken";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("position 6 is outside the table of 6 positions"));
  }
}

TEST(Learned, PositionsMustBeGiven) { EXPECT_THROW(make<Positional>("learned"), std::exception); }

}  // namespace
}  // namespace assay::testing
