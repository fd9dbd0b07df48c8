// Lion against its algorithm as a scalar loop in fp64.
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

#include "assay/optimizer.h"
#include "fakes.h"

namespace assay::testing {
namespace {

const Mesh kNoMesh{nullptr, nullptr};  // Lion is elementwise

double gradient_at(int step, size_t element) { return std::sin(1.7 * step + 0.9 * static_cast<double>(element)); }

TEST(Lion, FollowsTheScalarLoop) {
  const std::vector<double> start{0.5, -1.0, 2.0, 0.25};
  std::vector<Parameter> parameters(3);
  for (auto& one : parameters) one.value = at::tensor(start, at::kDouble).requires_grad_(true);
  parameters[1].spec.decay = false;
  parameters[2].spec.rate_scale = 0.1;
  const auto lion = make<Optimizer>("lion", {{"lr", 0.02}, {"beta1", 0.8}, {"beta2", 0.95}, {"weight_decay", 0.3}});
  EXPECT_EQ(lion->peak_rate(), 0.02);
  lion->attach(parameters, kNoMesh);
  std::vector<std::vector<double>> p(3, start), m(3, std::vector<double>(4, 0));
  for (int step = 0; step < 6; ++step) {
    const double multiplier = step < 3 ? 1.0 : 0.5, lr = 0.02 * (6 - step) / 6;
    for (size_t k = 0; k < 3; ++k) {
      std::vector<double> gradient;
      for (size_t i = 0; i < 4; ++i) gradient.push_back(gradient_at(step, i));
      parameters[k].value.mutable_grad() = at::tensor(gradient, at::kDouble);
      for (size_t i = 0; i < 4; ++i) {
        const double rate = k == 2 ? 0.1 * lr : lr, direction = 0.8 * m[k][i] + 0.2 * gradient[i];
        if (k != 1) p[k][i] -= rate * 0.3 * multiplier * p[k][i];
        p[k][i] -= rate * (direction > 0 ? 1 : direction < 0 ? -1 : 0);
        m[k][i] = 0.95 * m[k][i] + 0.05 * gradient[i];
      }
    }
    lion->step(lr, multiplier);
  }
  for (size_t k = 0; k < 3; ++k)
    for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(values_of(parameters[k].value)[i], p[k][i], 1e-15) << k << ", " << i;
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(values_of(lion->state()[0].value)[i], m[0][i], 1e-15);
}

// Without a gradient the momentum goes on, and a weight that never had one stays.
TEST(Lion, AnUndefinedGradientIsZero) {
  std::vector<Parameter> parameters(1);
  parameters[0].value = at::tensor({1.0, 2.0}, at::kDouble).requires_grad_(true);
  const auto lion = make<Optimizer>("lion");
  lion->attach(parameters, kNoMesh);
  lion->step(0.1, 1);
  EXPECT_EQ(values_of(parameters[0].value), (std::vector<double>{1, 2}));
  parameters[0].value.mutable_grad() = at::tensor({1.0, 0.0}, at::kDouble);
  lion->step(0.1, 1);
  parameters[0].value.mutable_grad() = Tensor();
  lion->step(0.1, 1);
  EXPECT_NEAR(values_of(parameters[0].value)[0], 0.8, 1e-15);
  EXPECT_EQ(values_of(parameters[0].value)[1], 2);
}

}  // namespace
}  // namespace assay::testing
