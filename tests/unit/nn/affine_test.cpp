// The linear product in fp32, by oneDNN, and the binding of GELU, against LibTorch's own operations in fp64.
#include "nn/affine.h"

#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "assay/nn.h"
#include "unit/nn/drawn.h"

namespace assay::nn {
namespace {

void expect_close(const Tensor& found, const Tensor& expected, const char* what) {
  ASSERT_EQ(found.sizes(), expected.sizes()) << what;
  EXPECT_EQ(found.scalar_type(), at::kFloat) << what;
  const auto largest = expected.abs().max().item<double>();
  EXPECT_LE((found.to(at::kDouble) - expected).abs().max().item<double>(), 2e-6 * largest) << what;
}

struct Variant {
  const char* name;
  std::vector<int64_t> shape;  // of x
  int64_t out;
  bool bias, transposed, summed;  // x is a transposed view; the gradient comes from a sum, as an expanded tensor
};

class Affine : public ::testing::TestWithParam<Variant> {};

TEST_P(Affine, MatchesTheProductAndItsGradients) {
  const auto& variant = GetParam();
  const auto in = variant.shape.back();
  auto upstream_shape = variant.shape;
  upstream_shape.back() = variant.out;
  const auto upstream = drawn(upstream_shape, "upstream");
  const auto run = [&](at::ScalarType type, const auto& product) {
    auto x = drawn(variant.shape, "x").to(type);
    if (variant.transposed) x = x.transpose(0, 1).contiguous().transpose(0, 1);
    x.requires_grad_(true);
    auto weight = drawn({variant.out, in}, "weight").to(type).requires_grad_(true), bias = Tensor();
    if (variant.bias) bias = drawn({variant.out}, "bias").to(type).requires_grad_(true);
    const auto y = product(x, weight, bias);
    (variant.summed ? y.sum() : (y * upstream.to(type)).sum()).backward();
    return std::array{y.detach(), x.grad(), weight.grad(), variant.bias ? bias.grad() : Tensor()};
  };
  const auto found = run(at::kFloat, [](const auto& x, const auto& w, const auto& b) { return affine(x, w, b); });
  const auto expected = run(at::kDouble, [](const auto& x, const auto& w, const auto& b) {
    return b.defined() ? at::linear(x, w, b) : at::linear(x, w);
  });
  const char* names[] = {"y", "gradient of x", "gradient of the weight", "gradient of the bias"};
  for (size_t i = 0; i < (variant.bias ? 4 : 3); ++i) expect_close(found[i], expected[i], names[i]);
}

// As in decoding: each row on its own, bit for bit.
TEST(FewRows, WithoutGradientsMatchTheProductForAnyNumber) {
  const c10::NoGradGuard no_grad;
  const auto weight = drawn({40, 27}, "weight").to(at::kFloat), bias = drawn({40}, "bias").to(at::kFloat);
  const auto all = drawn({16, 27}, "x").to(at::kFloat);
  for (const auto& given : {bias, Tensor()})
    for (const int64_t rows : {1, 2, 5, 8, 16}) {
      const auto x = all.narrow(0, 0, rows).unsqueeze(1);
      const auto expected = at::linear(x.to(at::kDouble), weight.to(at::kDouble));
      const auto found = affine(x, weight, given);
      expect_close(found, given.defined() ? expected + bias.to(at::kDouble) : expected, "y");
      for (int64_t row = 0; row < rows; ++row) EXPECT_TRUE(found[row].equal(affine(x[row], weight, given))) << row;
    }
  expect_close(affine(all.t().contiguous().t(), weight), at::linear(all.to(at::kDouble), weight.to(at::kDouble)), "y");
  expect_close(affine(all, drawn({27, 40}, "turned").to(at::kFloat).t()),
               at::linear(all.to(at::kDouble), drawn({27, 40}, "turned").to(at::kFloat).t().to(at::kDouble)), "y");
}

INSTANTIATE_TEST_SUITE_P(Variants, Affine,
                         ::testing::Values(Variant{"wider", {3, 17, 24}, 72, true, false, false},
                                           Variant{"narrower", {3, 17, 72}, 24, true, false, false},
                                           Variant{"without_bias", {3, 17, 24}, 25, false, false, false},
                                           Variant{"matrix", {33, 24}, 24, true, false, false},
                                           Variant{"transposed", {5, 7, 24}, 40, true, true, false},
                                           Variant{"one_row", {1, 1, 24}, 40, true, false, false},
                                           Variant{"summed", {3, 17, 24}, 72, true, false, true},
                                           Variant{"summed_narrower", {3, 17, 72}, 24, false, false, true}),
                         [](const auto& info) { return info.param.name; });

TEST(GeluTanh, MatchesLibTorchAndItsGradient) {
  const auto values = drawn({7, 11, 13}, "x") * 3, upstream = drawn({7, 13, 11}, "upstream");
  const auto run = [&](const auto& gelu) {
    auto x = values.clone().requires_grad_(true);
    const auto y = gelu(x.transpose(1, 2));
    (y * upstream).sum().backward();
    return std::pair{y.detach(), x.grad()};
  };
  const auto found = run([](const Tensor& x) { return gelu_tanh(x); });
  const auto expected = run([](const Tensor& x) { return at::gelu(x, "tanh"); });
  EXPECT_LE((found.first - expected.first).abs().max().item<double>(), 1e-14);
  EXPECT_LE((found.second - expected.second).abs().max().item<double>(), 1e-13);
}

}  // namespace
}  // namespace assay::nn
