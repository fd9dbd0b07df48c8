// Vocabulary-parallel cross entropy: published values, splits over ranks, padding, errors.
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "assay/nn.h"
#include "mesh/backends.h"

namespace assay::nn {
namespace {

const std::vector<double> kRow{0.5, -1, 2, 0, 1.5, -0.5, 3, 0.25};

Tensor slice_of(const Tensor& logits, const Mesh& mesh) {
  const auto width = logits.size(-1) / mesh.tensor().size();
  return logits.narrow(-1, mesh.tensor().rank() * width, width).contiguous();
}

TEST(CrossEntropy, OneRow) {
  const double softmax_minus_onehot[] = {0.04472511, 0.00997952, -0.79955597, 0.02712715,
                                         0.12157545, 0.01645345, 0.54486335,  0.03483195};
  for (const int ranks : {1, 2, 4})
    mesh::run_ranks(ranks, 1, [&](Mesh& mesh) {
      for (const auto type : {at::kDouble, at::kFloat}) {
        auto logits = slice_of(at::tensor(kRow).to(type).unsqueeze(0), mesh).requires_grad_(true);
        const auto nll = vocabulary_cross_entropy(logits, at::tensor(std::vector<int64_t>{2}), 8, 8, mesh);
        EXPECT_NEAR(nll.item<double>(), 1.60722024, type == at::kDouble ? 1e-8 : 1e-6);
        nll.sum().backward();
        const int64_t width = 8 / ranks;
        for (int64_t i = 0; i < width; ++i)
          EXPECT_NEAR(logits.grad()[0][i].item<double>(), softmax_minus_onehot[mesh.tensor().rank() * width + i],
                      type == at::kDouble ? 1e-8 : 1e-6);
        EXPECT_NEAR(vocabulary_cross_entropy(logits, at::tensor(std::vector<int64_t>{6}), 8, 8, mesh).item<double>(),
                    0.60722024, 1e-6);
      }
    });
}

// Each of four ranks holds 0..7 four times (V = 128).
TEST(CrossEntropy, MegatronsUnitTest) {
  mesh::run_ranks(4, 1, [](Mesh& mesh) {
    const auto logits = at::arange(8, at::TensorOptions().dtype(at::kFloat)).repeat({16, 4});
    const auto targets = at::arange(0, 32, 2, at::TensorOptions().dtype(at::kLong));
    const auto nll = vocabulary_cross_entropy(logits, targets, 128, 128, mesh);
    const double expected[] = {10.2309, 8.2309, 6.2309, 4.2309};
    for (int64_t i = 0; i < 16; ++i) EXPECT_NEAR(nll[i].item<double>(), expected[i % 4], 1e-4);
  });
}

TEST(CrossEntropy, PaddingCountsAsMinusInfinityAndGetsNoGradient) {
  // 5 real columns of 8: ranks 2 and 3 of 4 hold one real column and none.
  for (const int ranks : {1, 2, 4})
    mesh::run_ranks(ranks, 1, [&](Mesh& mesh) {
      auto row = at::tensor(kRow);
      row.slice(0, 5).fill_(50.0);
      auto logits = slice_of(row.unsqueeze(0), mesh).requires_grad_(true);
      const auto nll = vocabulary_cross_entropy(logits, at::tensor(std::vector<int64_t>{4}), 5, 8, mesh);
      double total = 0;
      for (int i = 0; i < 5; ++i) total += std::exp(kRow[static_cast<size_t>(i)]);
      EXPECT_NEAR(nll.item<double>(), std::log(total) - 1.5, 1e-12);
      nll.sum().backward();
      for (int64_t i = 0; i < logits.size(1); ++i)
        if (mesh.tensor().rank() * logits.size(1) + i >= 5) {
          EXPECT_EQ(logits.grad()[0][i].item<double>(), 0.0);
        }
    });
}

TEST(CrossEntropy, LargeLogitsStayFinite) {
  for (const double offset : {1e4, -1e4}) {
    const auto mesh = mesh::self_mesh();
    const auto logits = (at::tensor(kRow) + offset).to(at::kFloat).unsqueeze(0);
    EXPECT_NEAR(vocabulary_cross_entropy(logits, at::tensor(std::vector<int64_t>{2}), 8, 8, *mesh).item<double>(),
                1.60722024, 2e-3);
  }
}

// A small loss keeps its digits even if the logits are large: ln(1 + 7 exp(-10)), as accurate as fp32 can compute the
// sum.
TEST(CrossEntropy, ASmallLossOfLargeLogits) {
  const auto mesh = mesh::self_mesh();
  for (const float largest : {10.F, 1034.F}) {
    auto logits = at::full({1, 8}, largest - 10, at::kFloat);
    logits[0][3] = largest;
    EXPECT_NEAR(vocabulary_cross_entropy(logits, at::tensor(std::vector<int64_t>{3}), 8, 8, *mesh).item<double>(),
                3.17749021e-4, 1.3e-7);
  }
}

TEST(CrossEntropy, GatheredLogitsAreRefused) {
  mesh::run_ranks(2, 1, [](Mesh& mesh) {
    EXPECT_THROW(
        vocabulary_cross_entropy(at::tensor(kRow).unsqueeze(0), at::tensor(std::vector<int64_t>{2}), 8, 8, mesh),
        UserError);
  });
}

// A NaN logit makes the loss of its row NaN, wherever it is in the row, and no other row's.
TEST(CrossEntropy, KeepsNaN) {
  for (const int ranks : {1, 2})
    mesh::run_ranks(ranks, 1, [&](Mesh& mesh) {
      for (int64_t place = 0; place < 8; ++place) {
        auto rows = at::tensor(kRow).to(at::kFloat).repeat({2, 1});
        rows[0][place] = std::numeric_limits<float>::quiet_NaN();
        const auto nll =
            vocabulary_cross_entropy(slice_of(rows, mesh), at::tensor(std::vector<int64_t>{2, 2}), 8, 8, mesh);
        EXPECT_TRUE(std::isnan(nll[0].item<double>())) << place;
        EXPECT_NEAR(nll[1].item<double>(), 1.60722024, 1e-6) << place;
      }
    });
}

}  // namespace
}  // namespace assay::nn
