// SGD against PyTorch's documented algorithm as a scalar loop, in fp64.
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

#include "assay/optimizer.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using nlohmann::json;
const Mesh kNoMesh{nullptr, nullptr};  // it is elementwise

Parameter parameter(const std::vector<double>& values, bool decay = true, double rate_scale = 1.0) {
  Parameter out;
  out.spec.decay = decay;
  out.spec.rate_scale = rate_scale;
  out.value = at::tensor(values, at::kDouble).requires_grad_(true);
  return out;
}

double gradient_at(int step, size_t element) { return std::cos(0.7 * step + 1.3 * static_cast<double>(element)); }

// torch.optim.SGD with dampening 0; its first step copies the gradient, which equals momentum times 0 plus the
// gradient.
struct Scalar {
  double value, buffer = 0;
  void update(double gradient, double lr, double decay, double momentum, bool nesterov) {
    gradient += decay * value;
    if (momentum != 0) {
      buffer = momentum * buffer + gradient;
      gradient = nesterov ? gradient + momentum * buffer : buffer;
    }
    value -= lr * gradient;
  }
};

TEST(Sgd, FollowsTheScalarLoop) {
  struct Case {
    double momentum;
    bool nesterov;
  };
  const std::vector<double> start{0.5, -1.0, 2.0};
  for (const auto& [momentum, nesterov] : {Case{0, false}, Case{0.9, false}, Case{0.8, true}}) {
    std::vector<Parameter> parameters{parameter(start), parameter(start, false), parameter(start, true, 0.1)};
    const std::vector<double> decays{0.2, 0.0, 0.2}, rates{1, 1, 0.1};
    const auto sgd =
        make<Optimizer>("sgd", {{"lr", 0.05}, {"momentum", momentum}, {"weight_decay", 0.2}, {"nesterov", nesterov}});
    EXPECT_EQ(sgd->peak_rate(), 0.05);
    sgd->attach(parameters, kNoMesh);
    EXPECT_EQ(sgd->state().size(), momentum > 0 ? 3u : 0u);
    std::vector<std::vector<Scalar>> expected(3);
    for (auto& scalars : expected)
      for (const double value : start) scalars.push_back({value});
    for (int step = 0; step < 6; ++step) {
      const double lr = 0.05 * (6 - step) / 6, decay_multiplier = step < 3 ? 1.0 : 0.5;
      for (size_t p = 0; p < 3; ++p) {
        std::vector<double> gradient;
        for (size_t i = 0; i < start.size(); ++i) {
          gradient.push_back(gradient_at(step, i));
          expected[p][i].update(gradient.back(), lr * rates[p], decays[p] * decay_multiplier, momentum, nesterov);
        }
        parameters[p].value.mutable_grad() = at::tensor(gradient, at::kDouble);
      }
      sgd->step(lr, decay_multiplier);
    }
    for (size_t p = 0; p < 3; ++p)
      for (size_t i = 0; i < start.size(); ++i)
        EXPECT_NEAR(values_of(parameters[p].value)[i], expected[p][i].value, 1e-14) << momentum << " " << p << " " << i;
  }
}

TEST(Sgd, NesterovNeedsMomentum) {
  const auto findings = [](const json& given) { return make<Optimizer>("sgd", given)->validate({}).size(); };
  EXPECT_EQ(findings({{"nesterov", true}, {"momentum", 0}}), 1u);
  EXPECT_EQ(findings({{"nesterov", true}}), 0u);
  EXPECT_EQ(findings({{"momentum", 0}}), 0u);
}

}  // namespace
}  // namespace assay::testing
