// Rotary embedding against values worked out by hand, and its three properties: scores depend on the distance alone,
// norms are kept, and position 0 changes nothing.
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <cmath>

#include "assay/positional.h"
#include "assay/random.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// Returns the scheme for heads of this width.
struct Rotary {
  explicit Rotary(int64_t head_width, const json& parameters = json::object())
      : scheme(make<Positional>("rotary", parameters)) {
    scheme->fit({.layers = 1, .heads = 2, .width = 2 * head_width});
  }
  Made<Positional> scheme;
};

Tensor rotated(const Rotary& rotary, const Tensor& q_BHQK, const std::vector<int64_t>& positions, int64_t rows = 1) {
  AttentionContext context;
  context.query_positions = at::tensor(positions, at::kLong).view({rows, -1});
  return rotary.scheme->rotate(q_BHQK, q_BHQK, context).first;
}

Tensor random(at::IntArrayRef shape, const char* name) {
  const Draws draws(1, name);
  auto out = at::empty(shape, at::kDouble);
  for (int64_t i = 0; i < out.numel(); ++i) out.data_ptr<double>()[i] = draws.normal(static_cast<uint64_t>(i));
  return out;
}

void expect_near(const std::vector<double>& got, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], tolerance) << "element " << i;
}

// K = 4: angles 1 and 0.01 a position. sin 1 = .8414709848, cos 1 = .5403023059, sin .01 = .0099998333,
// cos .01 = .9999500004; sin 3 = .1411200081, cos 3 = -.9899924966, sin .03 = .0299955002, cos .03 = .9995500337.
const std::vector<double> kInput{1, 2, 3, 4, 1, 2, 3, 4};

TEST(RotaryPositions, HalvesArePairedByDefault) {  // (1, 3) and (2, 4)
  const auto out = rotated(Rotary(4), at::tensor(kInput, at::kDouble).view({1, 1, 2, 4}), {1, 3});
  expect_near(values_of(out),
              {.5403023059 - 3 * .8414709848, 2 * .9999500004 - 4 * .0099998333,  //
               .8414709848 + 3 * .5403023059, 2 * .0099998333 + 4 * .9999500004, -.9899924966 - 3 * .1411200081,
               2 * .9995500337 - 4 * .0299955002,  //
               .1411200081 - 3 * .9899924966, 2 * .0299955002 + 4 * .9995500337},
              1e-9);
}

TEST(RotaryPositions, InterleavedPairsNeighbours) {  // (1, 2) and (3, 4)
  const auto out =
      rotated(Rotary(4, {{"pairs", "interleaved"}}), at::tensor(kInput, at::kDouble).view({1, 1, 2, 4}), {1, 3});
  expect_near(values_of(out),
              {.5403023059 - 2 * .8414709848, .8414709848 + 2 * .5403023059,  //
               3 * .9999500004 - 4 * .0099998333, 3 * .0099998333 + 4 * .9999500004, -.9899924966 - 2 * .1411200081,
               .1411200081 - 2 * .9899924966,  //
               3 * .9995500337 - 4 * .0299955002, 3 * .0299955002 + 4 * .9995500337},
              1e-9);
}

// theta 100 over R = 4 of K = 6 channels: angles 1 and 0.1; wavelengths follow R and not K.
TEST(RotaryPositions, RotatesAFractionOfTheChannels) {
  const auto x = at::tensor(std::vector<double>{1, 2, 3, 4, 5, 6}, at::kDouble).view({1, 1, 1, 6});
  const auto out = rotated(Rotary(6, {{"fraction", 2.0 / 3}, {"theta", 100.0}}), x, {1});
  expect_near(values_of(out),
              {.5403023059 - 3 * .8414709848, 2 * .9950041653 - 4 * .0998334166,  //
               .8414709848 + 3 * .5403023059, 2 * .0998334166 + 4 * .9950041653, 5, 6},
              1e-9);
}

TEST(RotaryPositions, FarPositionsAreExact) {  // sin(100000) = 0.03574879797, cos(100000) = -0.99936080744
  const auto x = at::tensor(std::vector<float>{1, 0}, at::kFloat).view({1, 1, 1, 2});
  const auto out = rotated(Rotary(2), x, {100000});
  EXPECT_EQ(out.scalar_type(), at::kFloat);
  expect_near(values_of(out), {-0.99936080744, 0.03574879797}, 1e-7);
  EXPECT_FALSE(Rotary(2).scheme->limit());
}

class RotaryForms : public ::testing::TestWithParam<const char*> {};

// The product of q rotated to position i and k rotated to position j is the same for all pairs with the same i - j.
TEST_P(RotaryForms, ScoresDependOnTheDistanceAlone) {
  const Rotary rotary(8, json::parse(GetParam()));
  const auto q = random({1, 1, 1, 8}, "q"), k = random({1, 1, 1, 8}, "k");
  const auto score = [&](int64_t i, int64_t j) {
    return (rotated(rotary, q, {i}) * rotated(rotary, k, {j})).sum().item<double>();
  };
  for (const int64_t distance : {-7, 0, 1, 2, 50})
    for (const int64_t j : {8, 100, 5000})
      EXPECT_NEAR(score(j + distance, j), score(7 + distance, 7), 1e-10) << distance << " from " << j;
  EXPECT_GT(std::abs(score(9, 8) - score(10, 8)), 1e-2);
  EXPECT_GT(std::abs(score(9, 8) - score(8, 9)), 1e-2);
}

TEST_P(RotaryForms, NormsAreKeptAndPositionZeroChangesNothing) {
  const Rotary rotary(8, json::parse(GetParam()));
  const auto x = random({2, 3, 4, 8}, "x");
  const auto out = rotated(rotary, x, {0, 1, 77, 1000});
  EXPECT_LE((out.pow(2).sum(-1) - x.pow(2).sum(-1)).abs().max().item<double>(), 1e-12);
  EXPECT_TRUE(out.select(2, 0).equal(x.select(2, 0)));
  EXPECT_GT((out - x).narrow(2, 1, 3).abs().max().item<double>(), 0.5);
}

TEST_P(RotaryForms, EveryRowHasItsOwnPositions) {
  const Rotary rotary(8, json::parse(GetParam()));
  const auto x = random({2, 3, 2, 8}, "rows");
  const auto out = rotated(rotary, x, {4, 5, 0, 1}, 2);
  EXPECT_TRUE(out.narrow(0, 0, 1).equal(rotated(rotary, x.narrow(0, 0, 1), {4, 5})));
  EXPECT_TRUE(out.narrow(0, 1, 1).equal(rotated(rotary, x.narrow(0, 1, 1), {0, 1})));
}

INSTANTIATE_TEST_SUITE_P(Options, RotaryForms,
                         ::testing::Values("{}", R"({"pairs": "interleaved"})",
                                           R"({"fraction": 0.5, "theta": 500000.0})"));

TEST(RotaryPositions, RotatesKeysLikeQueries) {
  const Rotary rotary(4);
  AttentionContext context;
  context.query_positions = at::arange(3, 5, at::kLong).unsqueeze(0);
  const auto q = random({1, 2, 2, 4}, "q"), k = random({1, 2, 2, 4}, "k");
  const auto [turned_q, turned_k] = rotary.scheme->rotate(q, k, context);
  EXPECT_TRUE(turned_q.equal(rotated(rotary, q, {3, 4})));
  EXPECT_TRUE(turned_k.equal(rotated(rotary, k, {3, 4})));
}

TEST(RotaryPositions, AnOddNumberOfChannelsIsRefused) {
  for (const auto& [head_width, fraction] : {std::pair<int64_t, double>{5, 1.0}, {6, 0.5}, {8, 0.3}, {4, 0.0}}) {
    const auto scheme = make<Positional>("rotary", {{"fraction", fraction}});
    try {
      scheme->fit({.layers = 1, .heads = 1, .width = head_width});
      FAIL() << head_width << " * " << fraction << " was taken";
    } catch (const UserError& error) {
      EXPECT_THAT(error.what(), HasSubstr("must be an even number of at least 2"));
    }
  }
}

}  // namespace
}  // namespace assay::testing
