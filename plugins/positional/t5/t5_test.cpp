// T5's buckets against values computed independently in exact fractions, and its table: which heads a rank has, which
// gradient a row gets.
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "assay/positional.h"
#include "fakes.h"
#include "mesh/backends.h"
#include "nn/store.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr int64_t kHeads = 2;

// Returns the scheme with a table whose row b is {b, b + 1000}.
struct Built {
  explicit Built(int64_t buckets, const json& parameters) : scheme(make<Positional>("t5", parameters)) {
    scheme->fit({.layers = 1, .heads = kHeads, .width = 4});
    Parameters scope(store, "model.positional.");
    scheme->build(scope);
    const auto rows = at::arange(buckets, at::kDouble);
    table().detach().select(1, 0).copy_(rows);
    table().detach().select(1, 1).copy_(rows + 1000);
  }
  Tensor& table() { return store->parameters.at(0).value; }
  AttentionContext context(const Tensor& queries, const Tensor& keys, bool causal) const {
    AttentionContext context;
    context.heads = context.heads_total = kHeads;
    context.query_positions = queries.unsqueeze(0);
    context.key_positions = keys.unsqueeze(0);
    context.causal = causal;
    context.score_type = at::kDouble;
    return context;
  }
  // Returns the bucket of a key at this distance from the query, from the bias.
  int64_t bucket(int64_t key_minus_query, bool causal) const {
    const auto position = [](int64_t at) { return at::zeros({1}, at::kLong) + at; };
    const auto asked = context(position(5000), position(5000 + key_minus_query), causal);
    const auto bias = scheme->attention_bias(asked).dense(asked);
    EXPECT_EQ(bias.sizes(), (std::vector<int64_t>{1, kHeads, 1, 1}));
    const auto values = values_of(bias);
    EXPECT_EQ(values[1], values[0] + 1000);
    return static_cast<int64_t>(values[0]);
  }

  std::unique_ptr<Mesh> mesh = mesh::shape_mesh(1, 1);
  std::shared_ptr<Parameters::Store> store =
      std::make_shared<Parameters::Store>(Parameters::Store{mesh.get(), at::TensorOptions().dtype(at::kDouble), 3});
  Made<Positional> scheme;
};

using Begins = std::vector<int64_t>;  // first distance of each bucket

void expect_buckets(const Begins& begins, int64_t until, const std::function<int64_t(int64_t)>& bucket) {
  size_t at = 0;
  for (int64_t n = 0; n < until; ++n) {
    if (at + 1 < begins.size() && n == begins[at + 1]) ++at;
    EXPECT_EQ(bucket(n), static_cast<int64_t>(at)) << "distance " << n;
  }
}

TEST(T5, CausalBuckets) {
  const Built built(32, json::object());
  expect_buckets({0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                  16, 19, 21, 24, 27, 31, 35, 40, 46, 52, 59, 67, 77, 87, 99, 113},
                 1000, [&](int64_t n) { return built.bucket(-n, true); });
  EXPECT_EQ(built.bucket(3, true), 0);  // future keys are masked and count as distance 0
  const Built small(8, {{"buckets", 8}, {"max_distance", 64}});
  expect_buckets({0, 1, 2, 3, 4, 8, 16, 32}, 100, [&](int64_t n) { return small.bucket(-n, true); });
}

TEST(T5, BucketsInBothDirections) {
  const Built built(32, json::object());
  const Begins begins{0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91};
  expect_buckets(begins, 200, [&](int64_t n) { return built.bucket(-n, false); });
  EXPECT_EQ(built.bucket(0, false), 0);
  expect_buckets(begins, 200, [&](int64_t n) { return n == 0 ? 0 : built.bucket(n, false) - 16; });
}

// loss = sum of w * bias: a row's gradient is the sum of w over the pairs of its bucket.
TEST(T5, TheGradientOfARowIsTheSumOverItsPairs) {
  Built built(8, {{"buckets", 8}, {"max_distance", 64}});
  const int64_t T = 12;
  const auto positions = at::arange(T, at::kLong);
  const auto context = built.context(positions, positions, true);
  const auto w = (at::arange(kHeads * T * T, at::kDouble) * 0.7).cos().view({1, kHeads, T, T});
  (w * built.scheme->attention_bias(context).dense(context)).sum().backward();
  std::vector<double> expected(8 * kHeads, 0.0);
  const auto weights = values_of(w);
  for (int64_t h = 0; h < kHeads; ++h)
    for (int64_t i = 0; i < T; ++i)
      for (int64_t j = 0; j < T; ++j)
        expected[static_cast<size_t>(built.bucket(std::min(j - i, int64_t{0}), true) * kHeads + h)] +=
            weights[static_cast<size_t>((h * T + i) * T + j)];
  const auto gradient = values_of(built.table().grad());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(gradient[i], expected[i], 1e-12) << i;
}

TEST(T5, TheTableIsSplitByHeads) {
  Built built(32, json::object());
  EXPECT_EQ(built.store->parameters.at(0).spec.name, "model.positional.weight");
  EXPECT_EQ(built.store->parameters.at(0).spec.shape, (std::vector<int64_t>{32, kHeads}));
  EXPECT_EQ(built.store->parameters.at(0).spec.shard_dim, 1);
  EXPECT_EQ(built.scheme->limit(), std::nullopt);
}

TEST(T5, RefusesInvalidBuckets) {
  const auto refusal = [](const json& parameters) {
    try {
      make<Positional>("t5", parameters);
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal({{"buckets", 10}}), HasSubstr("buckets must be a multiple of 4"));
  EXPECT_THAT(refusal({{"max_distance", 16}}), HasSubstr("max_distance must be above buckets / 2 = 16"));
}

// The buckets of COCO-LM's code, 16 per direction; the boundaries were computed independently of this code.
TEST(T5, BucketsOfCocoLm) {
  const json rule = {{"rule", "cocolm"}, {"positions", 512}};
  const Built built(32, rule);
  const Begins begins{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 18, 27, 39, 58, 86};
  for (const bool causal : {false, true}) {
    expect_buckets(begins, 511, [&](int64_t n) { return built.bucket(n, causal) - 15; });
    expect_buckets(begins, 511, [&](int64_t n) { return 15 - built.bucket(-n, causal); });
  }
  EXPECT_EQ(*built.scheme->limit(), 512);
  // A shorter table has a smaller offset: its last distance, 63, is in bucket 14.
  const Built shorter(32, {{"rule", "cocolm"}, {"positions", 64}});
  EXPECT_EQ(shorter.bucket(0, false), 14);
  EXPECT_EQ(shorter.bucket(-63, false), 0);
  EXPECT_EQ(shorter.bucket(63, false), 28);
  EXPECT_EQ(Built(32, {{"rule", "cocolm"}, {"positions", 86}}).bucket(0, false), 14);
  EXPECT_EQ(Built(32, {{"rule", "cocolm"}, {"positions", 87}}).bucket(0, false), 15);
  for (const json& wrong : {json{{"rule", "cocolm"}}, json{{"positions", 5}}})
    EXPECT_THAT([&] { make<Positional>("t5", wrong); },
                ::testing::ThrowsMessage<std::exception>(HasSubstr("needs positions, the longest input")));
}

}  // namespace
}  // namespace assay::testing
