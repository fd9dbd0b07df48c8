// Accuracy, F1 and the majority baseline of labels that a fake classifier gives.
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include "../shares.h"
#include "assay/evaluator.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

// Scores of a row by the number of its first token, a letter.
struct ByLetter final : Objective {
  std::map<char, std::vector<double>> scores;
  bool several = false;
  std::vector<std::string> classes() const override { return {"a", "b", "c"}; }
  bool has_several_labels() const override { return several; }
  Tensor class_scores(Forward& forward) override {
    std::vector<Tensor> rows;
    for (int64_t row = 0; row < forward.batch().rows(); ++row)
      rows.push_back(
          at::tensor(scores.at(static_cast<char>(forward.batch().tokens[row][1].item<int64_t>())), at::kDouble));
    return at::stack(rows);
  }
  void prepare(PrepareContext&) override {}
  void loss(LossContext&) override {}
};

struct Labels : FakeDataset {
  std::vector<std::pair<const char*, const char*>> train, held_out;  // text, label
  const std::vector<std::pair<const char*, const char*>>& of(Split split) const {
    return split == Split::kTrain ? train : held_out;
  }
  int64_t size(Split split) const override { return static_cast<int64_t>(of(split).size()); }
  Document document(Split split, int64_t index) const override {
    const auto& [text, label] = of(split).at(static_cast<size_t>(index));
    return {text, std::to_string(index), {{"label", label}}};
  }
};

struct Context : FakeEvaluation {
  Labels labels;
  ByLetter objective;
  bool classifies = true;
  const Dataset& dataset() const override { return labels; }
  Objective* classifier() override { return classifies ? &objective : nullptr; }
  double value(const std::string& name) const {
    const auto& found = metric(name, std::map<std::string, double>{});
    return found.available ? found.sum / found.weight : -1;
  }
};

void evaluate(Context& context, bool multiple, const json& classes = {"a", "b", "c"}) {
  const json transform{{"use", "labelled"}, {"field", "label"}, {"classes", classes}, {"multiple", multiple}};
  context.objective.several = multiple;
  Made<Evaluator> evaluator("classification", {{"transform", transform}});
  for (auto* component : evaluator.all()) component->bind(context.vocabulary());
  evaluator->evaluate(context);
  Assembly assembly;
  if (context.classifies) assembly.objectives.push_back(&context.objective);
  EXPECT_EQ(named(evaluator->planned_metrics(assembly)), named(context.metrics));
}

TEST(Classification, OneClassPerRow) {
  Context context;
  context.labels.train = {{"x", "b"}, {"x", "b"}, {"x", "a"}};
  context.labels.held_out = {{"x", "a"}, {"y", "b"}, {"z", "b"}, {"w", "c"}, {"x", "b"}};
  context.objective.scores = {{'x', {-1, -2, -3}}, {'y', {0, 1, 0}}, {'z', {5, 4, 3}}, {'w', {1, 2, 3}}};
  evaluate(context, false);  // x and z are a, y is b, w is c: right are rows 1, 2 and 4
  EXPECT_EQ(context.value("accuracy"), 0.6);
  EXPECT_EQ(context.value("micro_f1"), 0.6);
  EXPECT_EQ(context.value("f1_a"), 2.0 / (2 + 2));  // one right, two wrong
  EXPECT_EQ(context.value("f1_b"), 2.0 / (2 + 2));  // one right, two missed
  EXPECT_EQ(context.value("f1_c"), 1);
  EXPECT_NEAR(context.value("macro_f1"), 2.0 / 3, 1e-15);
  EXPECT_EQ(context.value("majority"), 0.6);  // b
  EXPECT_EQ(context.value("majority_micro_f1"), 0.6);
  EXPECT_LT(context.value("micro_f1_low"), 0.6);
  EXPECT_GT(context.value("micro_f1_high"), 0.6);
  EXPECT_NEAR(context.value("accuracy_low"), evaluation::wilson({3, 5}).low, 1e-15);
  EXPECT_EQ(context.value("rows"), 5);
  EXPECT_EQ(context.examples[2].numbers.at("accuracy"), 0);
}

// Where every row has one class, a row whose label is empty says nothing.
TEST(Classification, RowsWithoutALabelAreLeftOut) {
  Context context;
  context.labels.train = {{"x", ""}, {"x", ""}, {"x", "a"}};
  context.labels.held_out = {{"x", "a"}, {"y", ""}, {"z", "b"}};
  context.objective.scores = {{'x', {1, 0, 0}}, {'y', {1, 0, 0}}, {'z', {1, 0, 0}}};
  evaluate(context, false);
  EXPECT_EQ(context.value("rows"), 2);
  EXPECT_EQ(context.value("accuracy"), 0.5);
  EXPECT_EQ(context.value("majority"), 0.5);  // a
}

TEST(Classification, SeveralClassesPerRow) {
  Context context;
  context.labels.train = {{"x", "a|b"}, {"x", "a|b"}, {"x", ""}};
  context.labels.held_out = {{"x", "a|b"}, {"y", ""}, {"z", "c"}};
  context.objective.scores = {{'x', {1, -1, 2}}, {'y', {-1, -1, -1}}, {'z', {-1, 3, 1}}};
  evaluate(context, true);  // x: a and c; y: none; z: b and c
  EXPECT_NEAR(context.value("accuracy"), 1.0 / 3, 1e-15);
  EXPECT_NEAR(context.value("micro_f1"), 2.0 * 2 / (2 * 2 + 2 + 1), 1e-15);  // right a, c; wrong c, b; missed b
  EXPECT_EQ(context.value("f1_a"), 1);
  EXPECT_EQ(context.value("f1_b"), 0);
  EXPECT_NEAR(context.value("f1_c"), 2.0 / 3, 1e-15);
  EXPECT_NEAR(context.value("majority"), 1.0 / 3, 1e-15);
  // a and b for every row: right on the first; two wrong on each of the others, and c is missed.
  EXPECT_NEAR(context.value("majority_micro_f1"), 2.0 * 2 / (2 * 2 + 4 + 1), 1e-15);
}

TEST(Classification, RowsMustHaveTheClassifiersClasses) {
  Context context;
  context.labels.train = context.labels.held_out = {{"x", "a"}};
  context.objective.scores = {{'x', {1, 0, 0}}};
  EXPECT_THAT(
      [&] {
        evaluate(context, false, {"a", "b"});
      },
      ThrowsMessage<UserError>(AllOf(HasSubstr("labels of 2 classes"), HasSubstr("the classifier has 3"))));
}

TEST(Classification, NeedsRowsOfTheClassifiersClasses) {
  Context context;
  Assembly assembly;
  assembly.objectives.push_back(&context.objective);
  const auto findings = [&](const json& classes) {
    const json transform{{"use", "labelled"}, {"field", "label"}, {"classes", classes}};
    return make<Evaluator>("classification", {{"transform", transform}})->validate(assembly);
  };
  EXPECT_THAT(findings({"a", "b", "c"}), IsEmpty());
  EXPECT_THAT(findings({"a", "c", "b"}), ElementsAre(HasSubstr("classes are a, c, b, and the classifier's a, b, c")));
}

TEST(Classification, NeedsAClassifier) {
  Context context;
  context.classifies = false;
  context.labels.held_out = {{"x", "a"}};
  evaluate(context, false);
  EXPECT_EQ(context.value("accuracy"), -1);
  Assembly assembly;
  const json transform{{"use", "labelled"}, {"field", "label"}, {"classes", {"a", "b"}}};
  EXPECT_THAT(make<Evaluator>("classification", {{"transform", transform}})->validate(assembly),
              ElementsAre(HasSubstr("needs an objective that classifies")));
}

}  // namespace
}  // namespace assay::testing
