// Attention and its bias against plain loops in fp64; cached decoding against the full forward; dropout's invariances.
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "assay/nn.h"
#include "nn/watch.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

// softmax(q k^T / sqrt(K) - slope (i - j)) v in plain loops, from the layer's own parameters and slopes worked out by
// hand.
TEST(Attention, AgreesWithPlainLoops) {
  TinyRun tiny;
  tiny.model()["dropout"] = 0.0;
  tiny.on_ranks([&](run::Assembled& run, const Mesh&, data::TrainingData&) {
    const c10::NoGradGuard no_grad;
    const int64_t D = 16, H = 4, K = 4, T = 7;
    auto store_parameters = *run.parameters;
    nn::Attention layer(store_parameters.scope("test"),
                        {.layer = 0, .width = D, .heads = H, .init_std = 0.5, .output_std = 0.5, .dropout = {}});
    auto scheme_owner = std::make_unique<loader::Instances>(registry());
    const auto& scheme = scheme_owner->create<Positional>(json("alibi"), "positional");
    const Draws draws(1, "input");
    Batch batch;
    batch.tokens = at::arange(T, at::TensorOptions().dtype(at::kLong)).unsqueeze(0);
    auto x = at::empty({1, T, D}, at::TensorOptions().dtype(at::kDouble));
    for (int64_t i = 0; i < T * D; ++i) x.view({-1})[i] = draws.normal(static_cast<uint64_t>(i));
    const auto out = layer(x, scheme, nn::with_defaults(batch), {});

    const auto w = store_parameters.existing("test.qkv.weight"), wo = store_parameters.existing("test.output.weight");
    const auto linear = [&](int64_t t, int64_t row) {  // biases are zero at first
      double sum = 0;
      for (int64_t d = 0; d < D; ++d) sum += w[row][d].item<double>() * x[0][t][d].item<double>();
      return sum;
    };
    const double slopes[] = {0.25, 0.0625, 0.015625, 0.00390625};
    std::vector<double> mixed(static_cast<size_t>(T * D), 0.0);
    for (int64_t h = 0; h < H; ++h)
      for (int64_t i = 0; i < T; ++i) {
        std::vector<double> weight;
        double total = 0;
        for (int64_t j = 0; j <= i; ++j) {
          double score = 0;
          for (int64_t k = 0; k < K; ++k) score += linear(i, h * 12 + k) * linear(j, h * 12 + 4 + k);
          weight.push_back(std::exp(score / 2.0 - slopes[h] * static_cast<double>(i - j)));
          total += weight.back();
        }
        for (int64_t j = 0; j <= i; ++j)
          for (int64_t k = 0; k < K; ++k)
            mixed[static_cast<size_t>(i * D + h * K + k)] +=
                weight[static_cast<size_t>(j)] / total * linear(j, h * 12 + 8 + k);
      }
    for (int64_t i = 0; i < T; ++i)
      for (int64_t d = 0; d < D; ++d) {
        double expected = 0;
        for (int64_t e = 0; e < D; ++e) expected += wo[d][e].item<double>() * mixed[static_cast<size_t>(i * D + e)];
        EXPECT_NEAR(out[0][i][d].item<double>(), expected, 1e-12);
      }
  });
}

// The forms are added: slopes, a learned table by bucket, and a dense bias.
TEST(AttentionBias, FormsAddUp) {
  AttentionContext context;
  context.heads = 2;
  context.query_positions = at::arange(3, 5, at::TensorOptions().dtype(at::kLong)).unsqueeze(0);  // the last 2 of 5
  context.key_positions = at::arange(5, at::TensorOptions().dtype(at::kLong)).unsqueeze(0);
  context.score_type = at::kDouble;
  AttentionBias bias;
  EXPECT_TRUE(bias.empty());
  EXPECT_FALSE(bias.dense(context).defined());
  bias.slopes_H = at::tensor(std::vector<double>{0.5, 0.25});
  bias.table_NH = at::tensor(std::vector<double>{1, 2, 3, 4}).view({2, 2});  // row 0: past, row 1: present and future
  bias.bucket = [](const Tensor& key_minus_query) { return key_minus_query.ge(0).to(at::kLong); };
  bias.dense_BHQS = at::ones({1, 1, 2, 5}, at::TensorOptions().dtype(at::kDouble)) * 100;
  const auto sum = bias.dense(context);
  ASSERT_EQ(sum.sizes(), (std::vector<int64_t>{1, 2, 2, 5}));
  EXPECT_EQ(sum[0][0][0][1].item<double>(), -0.5 * 2 + 1 + 100);  // query 3, key 1
  EXPECT_EQ(sum[0][1][1][4].item<double>(), -0.0 + 4 + 100);      // query 4, key 4
  EXPECT_EQ(sum[0][1][1][0].item<double>(), -0.25 * 4 + 2 + 100);
  context.causal = false;
  EXPECT_EQ(bias.dense(context)[0][0][0][4].item<double>(), -0.5 * 1 + 3 + 100);  // |3 - 4|
  bias.slopes_H = at::tensor(std::vector<double>{0.5});
  EXPECT_THROW(bias.dense(context), UserError);
}

// Adds one tensor to the scores.
class Dense final : public Positional {
 public:
  explicit Dense(Tensor bias) : bias_(std::move(bias)) { set_identity({"dense", "positional", "dense", "positional"}); }
  AttentionBias attention_bias(const AttentionContext&) const override {
    AttentionBias bias;
    bias.dense_BHQS = bias_;
    return bias;
  }

 private:
  Tensor bias_;
};

// A scheme may mask a key with -inf; NaN and +inf are errors.
TEST(AttentionBias, OnlyMinusInfinityIsAllowed) {
  TinyRun tiny;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    nn::Attention layer(run.parameters->scope("test"), {.layer = 0, .width = 16, .heads = 4, .dropout = {}});
    Batch batch;
    batch.tokens = at::arange(3, at::TensorOptions().dtype(at::kLong)).unsqueeze(0);
    const auto x = at::ones({1, 3, 16}, at::TensorOptions().dtype(at::kDouble));
    const auto first_fault = [&](double added) {
      auto bias = at::zeros({1, 1, 3, 3}, at::TensorOptions().dtype(at::kDouble));
      bias[0][0][2][0] = added;
      const nn::Watch watch;
      layer(x, Dense(bias), nn::with_defaults(batch), {});
      return watch.first(mesh);
    };
    EXPECT_EQ(first_fault(-INFINITY), "");
    EXPECT_EQ(first_fault(INFINITY), "positional (attention bias)");
    EXPECT_EQ(first_fault(NAN), "positional (attention bias)");
  });
}

class CachedDecode : public ::testing::TestWithParam<std::tuple<json, int>> {};

TEST_P(CachedDecode, EqualsTheFullForward) {
  TinyRun tiny;
  tiny.model().merge_patch({{"dropout", 0.0}, {"positional", std::get<0>(GetParam())}});
  tiny.mesh(std::get<1>(GetParam()), 1);
  tiny.on_ranks([&](run::Assembled& run, const Mesh&, data::TrainingData& data) {
    const c10::NoGradGuard no_grad;
    const auto batch = data.rows(0, 3, 0);
    const auto full = run.model->forward(batch, {}).final_BTD;
    Cache cache;
    for (const auto& chunks : {std::vector<int64_t>(16, 1), std::vector<int64_t>{5, 1, 1, 6, 3}}) {
      cache = {};
      std::vector<Tensor> parts;
      int64_t done = 0;
      for (const int64_t n : chunks) {
        parts.push_back(run.model->extend(cache, batch.tokens.narrow(1, done, n), {}).final_BTD);
        done += n;
      }
      EXPECT_LE((at::cat(parts, 1) - full).abs().max().item<double>(), 1e-12);
    }
    // Undoes four positions, keeps rows 2 and 0, and continues from there.
    cache.rewind(4);
    const auto rows = at::tensor(std::vector<int64_t>{2, 0});
    cache.select(rows);
    const auto again = run.model->extend(cache, batch.tokens.index_select(0, rows).narrow(1, 12, 4), {}).final_BTD;
    EXPECT_LE((again - full.index_select(0, rows).narrow(1, 12, 4)).abs().max().item<double>(), 1e-12);
    EXPECT_THROW(cache.rewind(17), UserError);
    // A prompt padded on the left gives the same result as alone.
    Cache padded, alone;
    auto mask = at::ones({1, 8}, at::TensorOptions().dtype(at::kBool));
    mask.narrow(1, 0, 3).fill_(false);
    const auto left = run.model->extend(padded, batch.tokens.narrow(0, 0, 1).narrow(1, 0, 8), mask).final_BTD;
    const auto right = run.model->extend(alone, batch.tokens.narrow(0, 0, 1).narrow(1, 3, 5), {}).final_BTD;
    EXPECT_LE((left.narrow(1, 3, 5) - right).abs().max().item<double>(), 1e-12);
    const auto next = batch.tokens.narrow(0, 0, 1).narrow(1, 8, 1);
    EXPECT_LE((run.model->extend(padded, next, at::ones({1, 1}, mask.options())).final_BTD -
               run.model->extend(alone, next, {}).final_BTD)
                  .abs()
                  .max()
                  .item<double>(),
              1e-12);
  });
}
// Alternatives for one position, in several rows of different lengths: each gives the same result as alone, and so does
// decoding that continues from the chosen one.
TEST_P(CachedDecode, AlternativesMatchSeparateDecoding) {
  TinyRun tiny;
  tiny.model().merge_patch({{"dropout", 0.0}, {"positional", std::get<0>(GetParam())}});
  tiny.mesh(std::get<1>(GetParam()), 1);
  tiny.on_ranks([&](run::Assembled& run, const Mesh&, data::TrainingData& data) {
    const c10::NoGradGuard no_grad;
    const auto tokens = data.rows(0, 2, 0).tokens;
    const auto far = [](const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); };
    for (const int64_t padding : {0, 3}) {  // of the second row
      Tensor mask;
      if (padding > 0) {
        mask = at::ones({2, 7}, at::TensorOptions().dtype(at::kBool));
        mask[1].narrow(0, 0, padding).fill_(false);
      }
      const auto real = [&](int64_t count) { return padding > 0 ? at::ones({2, count}, mask.options()) : Tensor(); };
      Cache cache;
      run.model->extend(cache, tokens.narrow(1, 0, 7), mask);
      auto tried = cache;
      tried.alternatives = true;
      const auto candidates = at::tensor(std::vector<int64_t>{97, 98, 99, 100, 101, 97}).view({2, 3});
      const auto got = run.model->extend(tried, candidates, real(3)).final_BTD;
      const auto alone = [&](int64_t row, int64_t k) {  // the row's text, this candidate, and the token 102
        const auto text = at::cat({tokens[row].narrow(0, row * padding, 7 - row * padding),
                                   candidates[row].narrow(0, k, 1), at::full({1}, 102, at::kLong)});
        Batch batch;
        batch.tokens = text.unsqueeze(0);
        const auto states = run.model->forward(batch, {}).final_BTD[0];
        return states.narrow(0, states.size(0) - 2, 2);
      };
      for (int64_t row = 0; row < 2; ++row)
        for (int64_t k = 0; k < 3; ++k) EXPECT_LE(far(got[row][k], alone(row, k)[0]), 1e-12) << row << " " << k;
      EXPECT_THROW(run.model->extend(tried, candidates, real(3)), UserError);  // none has been chosen yet
      tried.keep(at::tensor(std::vector<int64_t>{2, 1}), 3);
      EXPECT_EQ(tried.length(), 8);
      const auto next = run.model->extend(tried, at::full({2, 1}, 102, at::kLong), real(1)).final_BTD;
      EXPECT_LE(far(next[0][0], alone(0, 2)[1]), 1e-12);
      EXPECT_LE(far(next[1][0], alone(1, 1)[1]), 1e-12);
      EXPECT_THROW(tried.keep(at::zeros({2}, at::kLong), 10), UserError);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Schemes, CachedDecode,
                         ::testing::Combine(::testing::ValuesIn(positional_schemes()), ::testing::Values(1, 2)),
                         [](const auto& info) {
                           return std::get<0>(info.param)["use"].template get<std::string>() + "_on_" +
                                  std::to_string(std::get<1>(info.param));
                         });

TEST(Dropout, DependsOnTheGlobalPositionAlone) {
  const ForwardKey key{true, 5, 3, 0};
  const auto x = at::ones({6, 4, 8, 8}, at::TensorOptions().dtype(at::kDouble));
  const auto rows = at::arange(6, at::TensorOptions().dtype(at::kLong));
  const auto positions = at::arange(8, at::TensorOptions().dtype(at::kLong)).unsqueeze(0);
  const nn::DropoutSite site{0.25, 2};
  const auto whole = nn::dropout(x, site, key, rows, positions, 0);
  const auto heads = nn::dropout(x.narrow(1, 2, 2), site, key, rows, positions, 2);
  EXPECT_TRUE(heads.equal(whole.narrow(1, 2, 2)));
  const auto part = nn::dropout(x.narrow(0, 4, 2), site, key, rows.narrow(0, 4, 2), positions, 0);
  EXPECT_TRUE(part.equal(whole.narrow(0, 4, 2)));
  const auto late = nn::dropout(x.narrow(2, 5, 3), site, key, rows, positions.narrow(1, 5, 3), 0);
  EXPECT_TRUE(late.equal(whole.narrow(2, 5, 3)));
  // Kept values are scaled so that the mean stays the same; another step, site or forward pass draws another mask.
  EXPECT_NEAR(whole.mean().item<double>(), 1.0, 5 * std::sqrt(0.25 / 0.75 / 1536));
  EXPECT_DOUBLE_EQ(whole.max().item<double>(), 1 / 0.75);
  EXPECT_FALSE(nn::dropout(x, site, {true, 5, 4, 0}, rows, positions, 0).equal(whole));
  EXPECT_FALSE(nn::dropout(x, site, {true, 5, 3, 1}, rows, positions, 0).equal(whole));
  EXPECT_FALSE(nn::dropout(x, {0.25, 3}, key, rows, positions, 0).equal(whole));
  EXPECT_TRUE(nn::dropout(x, site, {false, 5, 3, 0}, rows, positions, 0).equal(x));
}

// The stream of (seed, step, forward, site), computed independently of this code (in Python); it must never change.
TEST(Dropout, FrozenStream) {
  const auto mask_of = [](int64_t row, int64_t head, int64_t position) {
    const auto long_type = at::TensorOptions().dtype(at::kLong);
    const auto y = nn::dropout(at::ones({1, 1, 1, 24}), {0.25, 2}, {true, 5, 3, 0}, at::full({1}, row, long_type),
                               at::full({1, 1}, position, long_type), head);
    std::string mask;
    for (int64_t c = 0; c < 24; ++c) mask += y.view(-1)[c].item<float>() == 0 ? '0' : '1';
    return mask;
  };
  EXPECT_EQ(mask_of(0, 0, 0), "111101101101110111101110");
  EXPECT_EQ(mask_of(7, 3, 9), "110111111110111011110111");
}

}  // namespace
}  // namespace assay::testing
