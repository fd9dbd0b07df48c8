// The regression against its optimum computed by other means; the probe's training and test texts; its interval.
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "assay/evaluator.h"
#include "fakes.h"
#include "regression.h"

namespace assay::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Two classes, one feature with values -1 and 1 and a few exceptions: by symmetry the weights are w and -w, the
// intercepts are 0, and the optimum solves one equation, here by bisection.
TEST(Regression, FindsTheOptimumOfOneFeature) {
  std::vector<double> x;
  std::vector<int64_t> y;
  for (int i = 0; i < 20; ++i) {
    x.push_back(i < 10 ? -1 : 1);
    y.push_back((i < 10) == (i % 10 != 0) ? 0 : 1);  // one in ten on either side belongs to the other class
  }
  const double l2 = 0.01;
  const probe::Regression regression(at::tensor(x, at::kDouble).view({20, 1}), at::tensor(y, at::kLong), 2, l2);
  // The derivative of the loss ln(1 + e^(-2 w)) .9 + ln(1 + e^(2 w)) .1 + l2 w^2 (two weights, halved).
  const auto derivative = [&](double w) {
    return -1.8 / (1 + std::exp(2 * w)) + 0.2 / (1 + std::exp(-2 * w)) + 2 * l2 * w;
  };
  double low = 0, high = 10;
  for (int i = 0; i < 100; ++i) (derivative((low + high) / 2) < 0 ? low : high) = (low + high) / 2;
  const auto weights = values_of(regression.weights());
  EXPECT_NEAR(weights[1], low, 1e-5);
  EXPECT_NEAR(weights[0], -low, 1e-5);
  EXPECT_NEAR(weights[2], 0, 1e-6);
  EXPECT_NEAR(weights[3], 0, 1e-6);
}

// At the optimum the gradient, computed by loops, is zero; the features have very different scales, and one is
// constant.
TEST(Regression, HasGradientZeroAtTheOptimum) {
  constexpr int64_t kTexts = 60, kFeatures = 4, kClasses = 3;
  const Draws draws(2, "features");
  auto x = at::zeros({kTexts, kFeatures}, at::kDouble);
  std::vector<int64_t> y;
  for (int64_t n = 0; n < kTexts; ++n) {
    y.push_back(n % kClasses);
    for (int64_t f = 0; f < 3; ++f)
      x[n][f].fill_(std::pow(100.0, double(f)) * (draws.normal(uint64_t(n * 3 + f)) + 0.8 * double(f == n % kClasses)));
    x[n][3].fill_(5);
  }
  const double l2 = 0.05;
  const probe::Regression regression(x, at::tensor(y, at::kLong), kClasses, l2);
  const auto p = values_of(regression.ln_p(x).exp()), w = values_of(regression.weights());
  for (int64_t f = 0; f <= kFeatures; ++f)
    for (int64_t c = 0; c < kClasses; ++c) {
      double mean = 0, square = 0;
      if (f < kFeatures) {
        for (int64_t n = 0; n < kTexts; ++n) mean += x[n][f].item<double>() / kTexts;
        for (int64_t n = 0; n < kTexts; ++n) square += std::pow(x[n][f].item<double>() - mean, 2) / kTexts;
      }
      double gradient = f < kFeatures ? l2 * w[size_t(f * kClasses + c)] : 0;
      for (int64_t n = 0; n < kTexts; ++n) {
        const double feature = f == kFeatures   ? 1
                               : square < 1e-20 ? 0
                                                : (x[n][f].item<double>() - mean) / std::sqrt(square);
        gradient += feature * (p[size_t(n * kClasses + c)] - (y[size_t(n)] == c ? 1 : 0)) / kTexts;
      }
      EXPECT_NEAR(gradient, 0, 2e-7) << f << " " << c;
    }
}

// Two features that are almost equal, and a label that depends on their difference.
TEST(Regression, ReportsThatItDidNotConverge) {
  const auto a = at::tensor({-1.0, 1.0, -1.0, 1.0, -1.0, 1.0}), b = at::tensor({-1.0, -1.0, 1.0, 1.0, 1.0, -1.0});
  const auto x = at::stack(std::vector<Tensor>{a, a + 1e-5 * b}, 1), y = at::tensor({0, 0, 1, 1, 0, 1}, at::kLong);
  EXPECT_FALSE(probe::Regression(x, y, 2, 0).converged());
  EXPECT_TRUE(probe::Regression(x, y, 2, 0.01).converged());
}

// Documents of two books, one in lower case and the other in upper case; and one page of a third, for training only.
struct Books : FakeEvaluation {
  struct Labelled : Dataset {
    int64_t size(Split split) const override { return split == Split::kTrain ? 9 : 6; }
    Document document(Split split, int64_t i) const override {
      const bool large = i % 2 == 1;
      std::string text;
      // The last document of the test split has letters of the wrong case.
      const bool wrong = split != Split::kTrain && i == 5;
      for (int c = 0; c < 12; ++c) text += static_cast<char>((large != wrong ? 'A' : 'a') + (c + i) % 20);
      if (i == 8) return {text.substr(0, 4), "third", {{"book", "third"}}};
      if (i == 2) return {text, "no field", {}};
      return {text, name_of(split) + std::to_string(i), {{"book", large ? "large" : "small"}}};
    }
    std::vector<Source> sources() const override { return {{"books", "", ""}}; }
  };
  Books() {
    fake_model.model_width = 2;
    add_special({"[CLS]", "[PAD]"});
    states = [](const Batch& batch) {
      const auto mean = batch.tokens.narrow(1, 1, batch.length() - 1).to(at::kDouble).mean(1, /*keepdim=*/true);
      auto x = at::zeros({batch.rows(), batch.length(), 2}, at::kDouble);
      x.select(2, 0).copy_(mean.expand({-1, batch.length()}));
      return std::map<int64_t, Tensor>{{-1, x}};
    };
  }
  const Dataset& dataset() const override { return books; }
  double value(const std::string& name) const {
    const auto& found = metric(name, std::map<std::string, double>{});
    return found.sum / found.weight;
  }
  Labelled books;
};

TEST(Probe, PredictsTheBookOfHeldOutDocuments) {
  Books context;
  make<Evaluator>("probe", {{"field", "book"}, {"length", 4}})->evaluate(context);
  // Of the lower-case book documents 0 and 4, of the upper-case one 1, 3 and 5, three pieces each; the classes are
  // balanced to six pieces each. Those of the upper-case book, evenly spaced, are pieces 0, 1, 3, 4, 6, 7, the last two
  // of document 5.
  const auto& accuracy = context.metric("accuracy", std::map<std::string, double>{});
  EXPECT_EQ(accuracy.weight, 12);
  int64_t rows = 0;
  for (const auto& batch : context.batches) rows += batch.rows();
  EXPECT_EQ(rows, 2 * 9 + 12);  // nine of each for training: the one page of the third does not count
  EXPECT_EQ(accuracy.sum, 10);
  EXPECT_EQ(context.value("chance"), 0.5);
  std::map<std::string, std::pair<double, double>> due{{"validation0", {3, 3}},
                                                       {"validation1", {2, 2}},
                                                       {"validation3", {2, 2}},
                                                       {"validation4", {3, 3}},
                                                       {"validation5", {0, 2}}};
  ASSERT_EQ(context.examples.size(), due.size());
  for (const auto& row : context.examples)
    EXPECT_EQ(std::pair(row.numbers.at("accuracy"), row.numbers.at("texts")), due.at(row.id)) << row.id;
  // Five documents are resampled: a third of the resamples lack the wrong one, and practically none consists of it
  // alone.
  EXPECT_EQ(context.value("accuracy_high"), 1);
  EXPECT_LT(context.value("accuracy_low"), 0.75);
  EXPECT_GT(context.value("accuracy_low"), 0.2);
}

TEST(Probe, RefusesInvalidConfigurations) {
  Books context;
  const auto probing = [&](const nlohmann::json& parameters) {
    return [&, parameters] { make<Evaluator>("probe", parameters)->evaluate(context); };
  };
  EXPECT_THAT(probing({{"field", "author"}, {"length", 4}}),
              ThrowsMessage<std::exception>(HasSubstr("have 0 values of the field 'author' in common")));
  EXPECT_THAT(probing({{"field", "book"}, {"length", 13}}), ThrowsMessage<std::exception>(HasSubstr("have 0 values")));
  const auto found = [&](const nlohmann::json& parameters, Split split) {
    const auto findings =
        make<Evaluator>("probe", parameters)->check_split({context.books, split, context.vocabulary().tokenizer(), 16});
    return findings.faults.empty() ? "" : findings.faults[0];
  };
  EXPECT_THAT(found({{"field", "author"}, {"length", 4}}, Split::kTest),
              HasSubstr("have 0 values of the field 'author'"));
  EXPECT_THAT(found({{"field", "book"}, {"length", 4}}, Split::kTrain), HasSubstr("evaluate validation or test"));
  EXPECT_EQ(found({{"field", "book"}, {"length", 4}}, Split::kTest), "");
  context.on = Split::kTrain;
  EXPECT_THAT(probing({{"field", "book"}, {"length", 4}}),
              ThrowsMessage<std::exception>(HasSubstr("evaluate validation or test")));
}

}  // namespace
}  // namespace assay::testing
