// AdamW against its algorithm as a scalar loop, in fp64.
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "assay/optimizer.h"
#include "fakes.h"

namespace assay::testing {
namespace {

const Mesh kNoMesh{nullptr, nullptr};  // AdamW is elementwise

Parameter parameter(const std::vector<double>& values, at::IntArrayRef shape, bool decay = true,
                    double rate_scale = 1.0, at::ScalarType type = at::kDouble) {
  Parameter out;
  out.spec.decay = decay;
  out.spec.rate_scale = rate_scale;
  out.value = at::tensor(values, at::kDouble).view(shape).to(type).requires_grad_(true);
  return out;
}

// Loshchilov and Hutter's algorithm 2, one number at a time.
struct Scalar {
  double value, mean = 0, square = 0;
  int step = 0;
  void update(double gradient, double lr, double decay, double beta1, double beta2, double eps) {
    ++step;
    mean = beta1 * mean + (1 - beta1) * gradient;
    square = beta2 * square + (1 - beta2) * gradient * gradient;
    const double mean_hat = mean / (1 - std::pow(beta1, step)), square_hat = square / (1 - std::pow(beta2, step));
    value = value - lr * (mean_hat / (std::sqrt(square_hat) + eps) + decay * value);
  }
};

double gradient_at(int step, size_t element) {
  return std::sin(1.7 * step + 0.9 * static_cast<double>(element)) * std::pow(10.0, -static_cast<double>(element % 4));
}

void set_gradients(Parameter& p, int step) {
  std::vector<double> gradient;
  for (int64_t i = 0; i < p.value.numel(); ++i) gradient.push_back(gradient_at(step, static_cast<size_t>(i)));
  p.value.mutable_grad() = at::tensor(gradient, at::kDouble).view(p.value.sizes()).to(p.value.scalar_type());
}

TEST(AdamW, FollowsTheScalarLoopInEveryGroup) {
  const std::vector<double> start{0.5, -1.0, 2.0, 0.25, -0.75, 3.0};
  for (const auto type : {at::kDouble, at::kFloat}) {
    std::vector<Parameter> parameters{
        parameter(start, {2, 3}, true, 1.0, type), parameter(start, {6}, false, 1.0, type),
        parameter(start, {3, 2}, true, 0.1, type), parameter(start, {6}, true, 1.0, type)};
    const auto adamw =
        make<Optimizer>("adamw", {{"lr", 0.02}, {"beta1", 0.8}, {"beta2", 0.95}, {"eps", 1e-6}, {"weight_decay", 0.1}});
    EXPECT_EQ(adamw->peak_rate(), 0.02);
    adamw->attach(parameters, kNoMesh);
    std::vector<std::vector<Scalar>> expected(4);
    for (auto& scalars : expected)
      for (const double value : start) scalars.push_back({value});
    for (int step = 0; step < 7; ++step) {
      const double lr = 0.02 * (step + 1) / 7, decay_multiplier = step < 3 ? 1.0 : 0.5;
      for (size_t p = 0; p < 4; ++p) {
        set_gradients(parameters[p], step);
        for (size_t i = 0; i < start.size(); ++i)
          expected[p][i].update(gradient_at(step, i), lr * parameters[p].spec.rate_scale,
                                parameters[p].spec.decay ? 0.1 * decay_multiplier : 0.0, 0.8, 0.95, 1e-6);
      }
      adamw->step(lr, decay_multiplier);
    }
    for (size_t p = 0; p < 4; ++p) {
      const auto got = values_of(parameters[p].value);
      for (size_t i = 0; i < got.size(); ++i)
        EXPECT_NEAR(got[i], expected[p][i].value, type == at::kDouble ? 1e-14 : 1e-6) << p << ", " << i;
    }
  }
}

// The published pair of first steps with bias correction: p = 1, lr = 1e-3, decay 0.01, gradients 0.1 and 0.1, eps
// 1e-6.
TEST(AdamW, FirstTwoSteps) {
  std::vector<Parameter> parameters{parameter({1.0}, {1})};
  const auto adamw = make<Optimizer>("adamw", {{"eps", 1e-6}});
  EXPECT_EQ(adamw->peak_rate(), 1e-3);
  adamw->attach(parameters, kNoMesh);
  for (const double expected : {0.9989900100, 0.9979800301}) {
    parameters[0].value.mutable_grad() = at::full({1}, 0.1, at::kDouble);
    adamw->step(1e-3, 1.0);
    EXPECT_NEAR(values_of(parameters[0].value)[0], expected, 5e-11);
  }
}

TEST(AdamW, AnUndefinedGradientIsZero) {
  std::vector<Parameter> without{parameter({1.0, -2.0}, {2})}, with_zero{parameter({1.0, -2.0}, {2})};
  const auto first = make<Optimizer>("adamw", {{"weight_decay", 0.5}}),
             second = make<Optimizer>("adamw", {{"weight_decay", 0.5}});
  first->attach(without, kNoMesh);
  second->attach(with_zero, kNoMesh);
  for (int step = 0; step < 4; ++step) {
    set_gradients(without[0], step);
    set_gradients(with_zero[0], step);
    if (step % 2 == 1) {
      without[0].value.mutable_grad() = Tensor();
      with_zero[0].value.mutable_grad() = at::zeros({2}, at::kDouble);
    }
    first->step(0.1, 1.0);
    second->step(0.1, 1.0);
  }
  EXPECT_EQ(values_of(without[0].value), values_of(with_zero[0].value));
  EXPECT_NE(values_of(without[0].value), (std::vector<double>{1.0, -2.0}));
}

// A gradient may have other strides than its parameter; elements must still be matched by index.
TEST(AdamW, GradientsWithOtherStrides) {
  std::vector<Parameter> plain{parameter({1, 2, 3, 4, 5, 6}, {2, 3})}, turned{parameter({1, 2, 3, 4, 5, 6}, {2, 3})};
  const auto first = make<Optimizer>("adamw"), second = make<Optimizer>("adamw");
  first->attach(plain, kNoMesh);
  second->attach(turned, kNoMesh);
  set_gradients(plain[0], 1);
  turned[0].value.mutable_grad() = plain[0].value.grad().t().contiguous().t();
  ASSERT_FALSE(turned[0].value.grad().is_contiguous());
  first->step(0.1, 1.0);
  second->step(0.1, 1.0);
  EXPECT_EQ(values_of(plain[0].value), values_of(turned[0].value));
}

TEST(AdamW, StateIsCompleteForTheNextStep) {
  std::vector<Parameter> parameters{parameter({1.0, 2.0}, {2}), parameter({3.0}, {1}, false)};
  const auto adamw = make<Optimizer>("adamw");
  adamw->attach(parameters, kNoMesh);
  const auto train = [](std::vector<Parameter>& of, Optimizer& optimizer, int from, int to) {
    for (int step = from; step < to; ++step) {
      for (auto& p : of) set_gradients(p, step);
      optimizer.step(0.05, 1.0);
    }
  };
  train(parameters, *adamw, 0, 5);
  std::vector<Parameter> resumed{parameter(values_of(parameters[0].value), {2}),
                                 parameter(values_of(parameters[1].value), {1}, false)};
  const auto other = make<Optimizer>("adamw");
  other->attach(resumed, kNoMesh);
  auto from = adamw->state(), to = other->state();
  ASSERT_EQ(from.size(), 5u);
  ASSERT_EQ(to.size(), 5u);
  EXPECT_EQ(from[0].name, "exp_avg");
  EXPECT_EQ(from[3].name, "exp_avg_sq");
  EXPECT_EQ(from[3].parameter, 1);
  EXPECT_EQ(from[4].name, "step");
  EXPECT_EQ(from[4].parameter, -1);
  EXPECT_EQ(from[4].value.item<double>(), 5);
  for (size_t i = 0; i < from.size(); ++i) to[i].value.copy_(from[i].value);
  train(parameters, *adamw, 5, 9);
  train(resumed, *other, 5, 9);
  for (size_t p = 0; p < 2; ++p) EXPECT_EQ(values_of(parameters[p].value), values_of(resumed[p].value));
}

TEST(AdamW, NothingToTrainIsNoError) {
  std::vector<Parameter> none;
  const auto adamw = make<Optimizer>("adamw");
  adamw->attach(none, kNoMesh);
  adamw->step(0.1, 1.0);
  EXPECT_TRUE(adamw->state().empty());
}

}  // namespace
}  // namespace assay::testing
