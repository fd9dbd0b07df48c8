// The classifier's losses, scores and accuracies against plain loops; what it needs of rows and model.
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <cmath>
#include <optional>

#include "assay/objective.h"
#include "assay/transform.h"
#include "fakes.h"
#include "mesh/backends.h"
#include "nn/store.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

constexpr int64_t kWidth = 4;

// The objective with weights in fp64, and a batch of three rows of two, three and four tokens.
struct ClassifierRig {
  explicit ClassifierRig(const json& more = json::object()) {
    json parameters{{"classes", {"no", "yes", "maybe"}}, {"width", kWidth}, {"init_std", 0.5}};
    parameters.update(more);
    objective.emplace("classifier", parameters);
    mesh = mesh::shape_mesh(1, 1);
    store = std::make_shared<Parameters::Store>(
        Parameters::Store{mesh.get(), at::TensorOptions().dtype(at::kDouble), 1, true});
    Parameters scope(store, "");
    (*objective)->build(scope);
    batch.tokens = at::tensor({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, at::kLong).view({3, 4});
    batch.key_mask = at::tensor({1, 1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 1}, at::kLong).view({3, 4}).to(at::kBool);
    batch.channels["label"] = at::tensor({0., 1., 0., 0., 0., 0., 1., 0., 0.}, at::kFloat).view({3, 3});
    states = at::randn({3, 4, kWidth}, at::kDouble);
  }
  // Scores of a state by loops over the weights.
  std::vector<double> scores(const Tensor& state) const {
    const auto find = [&](const std::string& name) {
      for (const auto& [spec, value] : store->parameters)
        if (spec.name == name) return value.detach();
      throw std::runtime_error(name);
    };
    std::vector<double> inner, out;
    for (int64_t i = 0; i < kWidth; ++i) {
      double sum = find("dense.bias")[i].item<double>();
      for (int64_t j = 0; j < kWidth; ++j) sum += find("dense.weight")[i][j].item<double>() * state[j].item<double>();
      inner.push_back(std::tanh(sum));
    }
    for (int64_t c = 0; c < 3; ++c) {
      double sum = find("out.bias")[c].item<double>();
      for (int64_t j = 0; j < kWidth; ++j)
        sum += find("out.weight")[c][j].item<double>() * inner[static_cast<size_t>(j)];
      out.push_back(sum);
    }
    return out;
  }
  std::pair<double, double> loss(const std::string& term) {
    FakePrepare prepare;
    prepare.of = batch;
    (*objective)->prepare(prepare);
    FakeLoss context(batch, nullptr);
    context.denominators = prepare.denominators;
    context.set_hidden(states);
    (*objective)->loss(context);
    return {context.terms.at(term).sum, prepare.denominators.at(context.terms.at(term).denominator)};
  }

  std::optional<Made<Objective>> objective;
  std::unique_ptr<Mesh> mesh;
  std::shared_ptr<Parameters::Store> store;
  Batch batch;
  Tensor states;
};

TEST(Classifier, CrossEntropyOfTheStateThatIsPooled) {
  for (const std::string pooling : {"first", "last"}) {
    ClassifierRig rig(json{{"pooling", pooling}});
    double expected = 0;
    for (int64_t row : {0, 2}) {  // the second row has no label
      const auto scores = rig.scores(rig.states[row][pooling == "first" ? 0 : row == 0 ? 1 : 3]);
      double sum = 0;
      for (const double score : scores) sum += std::exp(score);
      expected += std::log(sum) - scores[row == 0 ? 1 : 0];
    }
    const auto [sum, labels] = rig.loss("ce");
    EXPECT_NEAR(sum, expected, 1e-12) << pooling;
    EXPECT_EQ(labels, 2) << pooling;
  }
}

TEST(Classifier, SeveralLabelsAreDecisionsOfTheirOwn) {
  ClassifierRig rig(json{{"multiple", true}});
  rig.batch.channels["label"] = at::tensor({1., 1., 0., 0., 0., 0., 0., 0., 1.}, at::kFloat).view({3, 3});
  double expected = 0;
  for (int64_t row = 0; row < 3; ++row) {
    const auto scores = rig.scores(rig.states[row][0]);
    for (int64_t c = 0; c < 3; ++c) {
      const double p = 1 / (1 + std::exp(-scores[static_cast<size_t>(c)]));
      expected -= rig.batch.channels["label"][row][c].item<double>() > 0 ? std::log(p) : std::log(1 - p);
    }
  }
  const auto [sum, decisions] = rig.loss("bce");
  EXPECT_NEAR(sum, expected, 1e-12);
  EXPECT_EQ(decisions, 9);
}

TEST(Classifier, NeedsRowsWithItsLabels) {
  ClassifierRig rig;
  FakePrepare prepare;
  prepare.of = rig.batch;
  prepare.of.channels["label"] = at::tensor({0., 1.}, at::kFloat).view({1, 2});
  EXPECT_THAT([&] { (*rig.objective)->prepare(prepare); },
              ThrowsMessage<UserError>(HasSubstr("labels of 2 classes, and classes has 3")));
  prepare.of.channels["label"] = at::tensor({1., 1., 0.}, at::kFloat).view({1, 3});
  EXPECT_THAT([&] { (*rig.objective)->prepare(prepare); }, ThrowsMessage<UserError>(HasSubstr("set multiple = true")));
  prepare.of.channels.clear();
  EXPECT_THAT([&] { (*rig.objective)->prepare(prepare); },
              ThrowsMessage<UserError>(HasSubstr("the rows have no labels")));
}

TEST(Classifier, FitsTheModel) {
  FakeModel model;
  model.model_width = kWidth;
  Assembly assembly;
  assembly.model = &model;
  const Made<Transform> rows("labelled", {{"field", "f"}, {"classes", {"no", "yes", "maybe"}}});
  assembly.transforms = {&*rows};
  const auto findings = [&](const char* pooling) {
    return (*ClassifierRig(json{{"pooling", pooling}}).objective)->validate(assembly);
  };
  EXPECT_THAT(findings("last"), IsEmpty());
  EXPECT_THAT(findings("first"), ElementsAre(HasSubstr("set pooling = \"last\"")));
  model.is_causal = false;
  EXPECT_THAT(findings("first"), IsEmpty());
  model.model_width = 8;
  EXPECT_THAT(findings("first"),
              ElementsAre(HasSubstr("width is 4, and the model's is 8; write width = \"= model.width\"")));
}

TEST(Classifier, NeedsRowsOfItsOwnClassesInTheirOrder) {
  FakeModel model;
  model.model_width = kWidth;
  model.is_causal = false;
  Assembly assembly;
  assembly.model = &model;
  const ClassifierRig rig;
  EXPECT_THAT((*rig.objective)->validate(assembly), ElementsAre(HasSubstr("needs a transform that makes rows")));
  const Made<Transform> other("labelled", {{"field", "f"}, {"classes", {"yes", "no", "maybe"}}});
  assembly.transforms = {&*other};
  EXPECT_THAT(
      (*rig.objective)->validate(assembly),
      ElementsAre(
          "the transform's classes are yes, no, maybe, and the classifier's no, yes, maybe; list the same classes in "
          "the same order in both"));
}

}  // namespace
}  // namespace assay::testing
