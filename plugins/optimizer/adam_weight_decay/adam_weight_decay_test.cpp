// BERT's AdamWeightDecay against its algorithm as a scalar loop in fp64, and against its published first steps.
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <cmath>

#include "assay/error.h"
#include "assay/optimizer.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Mesh kNoMesh{nullptr, nullptr};  // it is elementwise

Parameter parameter(const std::string& name, const std::vector<double>& values, bool decay = true,
                    double rate_scale = 1.0) {
  Parameter out;
  out.spec.name = name;
  out.spec.decay = decay;
  out.spec.rate_scale = rate_scale;
  out.value = at::tensor(values, at::kDouble).requires_grad_(true);
  return out;
}

// apply_gradients of optimization.py, one number at a time.
struct Scalar {
  double value, m = 0, v = 0;
  void update(double gradient, double lr, double decay) {
    m = 0.9 * m + 0.1 * gradient;
    v = 0.999 * v + 0.001 * gradient * gradient;
    const double u = m / (std::sqrt(v) + 1e-6) + decay * value;
    value -= lr * u;
  }
};

double gradient_at(int step, size_t element) {
  return std::sin(1.7 * step + 0.9 * static_cast<double>(element)) * std::pow(10.0, -static_cast<double>(element));
}

TEST(AdamWeightDecay, FollowsTheScalarLoop) {
  const std::vector<double> start{0.5, -1.0, 2.0, 0.25};
  std::vector<Parameter> parameters{
      parameter("model.layers.0.up.weight", start), parameter("model.layers.0.up.bias", start),
      parameter("model.norm.weight", start, false), parameter("model.table.weight", start, true, 0.1),
      parameter("model.layer_norm.gamma", start)};
  const std::vector<double> decays{0.1, 0.0, 0.0, 0.1, 0.0}, rates{1, 1, 1, 0.1, 1};
  const auto adam = make<Optimizer>("adam_weight_decay", {{"lr", 0.02}, {"weight_decay", 0.1}});
  EXPECT_EQ(adam->peak_rate(), 0.02);
  adam->attach(parameters, kNoMesh);
  std::vector<std::vector<Scalar>> expected(parameters.size());
  for (auto& scalars : expected)
    for (const double value : start) scalars.push_back({value});
  for (int step = 0; step < 9; ++step) {
    const double lr = 0.02 * (step + 1) / 9, decay_multiplier = step < 3 ? 1.0 : 0.5;
    for (size_t p = 0; p < parameters.size(); ++p) {
      std::vector<double> gradient;
      for (size_t i = 0; i < start.size(); ++i) {
        gradient.push_back(gradient_at(step, i));
        expected[p][i].update(gradient.back(), lr * rates[p], decays[p] * decay_multiplier);
      }
      parameters[p].value.mutable_grad() = at::tensor(gradient, at::kDouble);
    }
    adam->step(lr, decay_multiplier);
  }
  for (size_t p = 0; p < parameters.size(); ++p)
    for (size_t i = 0; i < start.size(); ++i)
      EXPECT_NEAR(values_of(parameters[p].value)[i], expected[p][i].value, 1e-14) << parameters[p].spec.name << i;
}

// p = 1, lr = 1e-3, decay 0.01, gradients 0.1 and 0.1.
TEST(AdamWeightDecay, FirstTwoSteps) {
  const auto after = [](const json& given) {
    std::vector<Parameter> parameters{parameter("p", {1.0})};
    const auto adam = make<Optimizer>("adam_weight_decay", given);
    adam->attach(parameters, kNoMesh);
    std::vector<double> values;
    for (int step = 0; step < 2; ++step) {
      parameters[0].value.mutable_grad() = at::full({1}, 0.1, at::kDouble);
      adam->step(1e-3, 1.0);
      values.push_back(values_of(parameters[0].value)[0]);
    }
    return values;
  };
  const auto bert = after(json::object()), corrected = after({{"bias_correction", true}});
  EXPECT_NEAR(bert[0], 0.9968287220, 5e-11);
  EXPECT_NEAR(bert[1], 0.9925701123, 5e-11);
  EXPECT_NEAR(corrected[0], 0.9989900100, 5e-11);
  EXPECT_NEAR(corrected[1], 0.9979800301, 5e-11);
}

// For a gradient far above eps, the update is (1 - beta1) / sqrt(1 - beta2) = sqrt(10) times Adam's.
TEST(AdamWeightDecay, TheFirstUpdateIsLargerThanAdams) {
  std::vector<Parameter> parameters{parameter("p", {0.0})};
  const auto adam = make<Optimizer>("adam_weight_decay");
  adam->attach(parameters, kNoMesh);
  parameters[0].value.mutable_grad() = at::full({1}, 1e3, at::kDouble);
  adam->step(1.0, 1.0);
  EXPECT_NEAR(values_of(parameters[0].value)[0], -std::sqrt(10.0), 1e-6);
}

std::vector<std::string> notes_of(const json& given, std::vector<Parameter> parameters) {
  const auto adam = make<Optimizer>("adam_weight_decay", given);
  adam->attach(parameters, kNoMesh);
  return adam->notes();
}

TEST(AdamWeightDecay, NotesParametersWithoutDecay) {
  const auto notes = notes_of(
      json::object(), {parameter("model.layers.0.up.weight", {1}), parameter("model.layers.0.up.bias", {1}, false),
                       parameter("model.layers.1.up.bias", {1}, false), parameter("model.norm.weight", {1}, false)});
  EXPECT_THAT(notes, ElementsAre("no weight decay on model.layers.*.up.bias, model.norm.weight"));
}

TEST(AdamWeightDecay, WarnsAboutAccidentalMatches) {
  const auto notes = notes_of(json::object(), {parameter("model.positional.relative_attention_bias", {1})});
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_EQ(notes[1],
            "warning: no_decay 'bias' also matches model.positional.relative_attention_bias, which would decay "
            "otherwise; use a narrower expression if this is not intended");
  EXPECT_THAT(notes_of({{"no_decay", {"\\.bias$"}}}, {parameter("model.positional.relative_attention_bias", {1})}),
              ElementsAre("no weight decay on nothing"));
}

TEST(AdamWeightDecay, ABadExpressionIsRefused) {
  try {
    make<Optimizer>("adam_weight_decay", {{"no_decay", {"bias", "("}}});
    FAIL() << "taken";
  } catch (const std::exception& error) {
    EXPECT_THAT(error.what(), HasSubstr("no_decay: '(' is not a valid regular expression"));
  }
}

TEST(AdamWeightDecay, StateHasAStepOnlyForTheCorrection) {
  std::vector<Parameter> parameters{parameter("p", {1.0})};
  for (const bool correction : {false, true}) {
    const auto adam = make<Optimizer>("adam_weight_decay", {{"bias_correction", correction}});
    adam->attach(parameters, kNoMesh);
    EXPECT_EQ(adam->state().size(), correction ? 3u : 2u);
  }
}

}  // namespace
}  // namespace assay::testing
