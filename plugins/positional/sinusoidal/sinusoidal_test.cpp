// Sinusoidal embeddings against tables computed from the formulas of the two papers.
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <cmath>

#include "assay/positional.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::vector<double> waves(const json& parameters, int64_t width, const std::vector<int64_t>& positions) {
  const auto x = at::zeros({1, static_cast<int64_t>(positions.size()), width}, at::kFloat);
  const auto out = make<Positional>("sinusoidal", parameters)->embed(x, at::tensor(positions, at::kLong).unsqueeze(0));
  EXPECT_EQ(out.scalar_type(), at::kFloat);
  return values_of(out);
}

void expect_near(const std::vector<double>& got, const std::vector<double>& expected, double tolerance = 1e-6) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], tolerance) << "element " << i;
}

TEST(Sinusoidal, ConcatenatedIsTheDefault) {
  expect_near(waves(json::object(), 8, {0, 1, 3}),
              {0,         0,         0,         0,     1,         1,         1,         1,  //
               .84147096, .04639922, .00215443, .0001, .54030234, .99892294, .99999768, 1,  //
               .14112,    .13879809, .00646326, .0003, -.9899925, .99032068, .99997914, 1});
}

// sin and cos of pos / 10000^(2k/d) alternate; for d = 4 the angles are pos and pos / 100.
TEST(Sinusoidal, Interleaved) {
  expect_near(waves({{"form", "interleaved"}}, 4, {0, 1, 3}),
              {0, 1, 0, 1,  //
               .84147098, .54030231, .00999983, .99995000, .14112001, -.98999250, .02999550, .99955003});
}

TEST(Sinusoidal, FirstPositionShifts) {
  expect_near(waves({{"first_position", 2}}, 8, {0, 1}), waves(json::object(), 8, {2, 3}), 0);
  EXPECT_NEAR(waves({{"first_position", 2}}, 8, {1})[0], .14112, 1e-6);
}

TEST(Sinusoidal, ScalesTheEmbeddingAndNotTheWaves) {
  const auto x = at::ones({1, 1, 4}, at::kDouble) * 3;
  const auto out = make<Positional>("sinusoidal", {{"scale_embedding", true}})->embed(x, at::zeros({1, 1}, at::kLong));
  expect_near(values_of(out), {6, 6, 7, 7}, 1e-12);  // sqrt(4) * 3 + (0, 0, 1, 1)
  const auto plain = make<Positional>("sinusoidal")->embed(x, at::zeros({1, 1}, at::kLong));
  expect_near(values_of(plain), {3, 3, 4, 4}, 1e-12);
}

// sin(100000) = 0.03574879797, cos(100000) = -0.99936080744; fp32 angles would be off in the third digit.
TEST(Sinusoidal, ExactFarBeyondTraining) {
  const auto far = waves({{"form", "interleaved"}}, 2, {100000});
  expect_near(far, {0.03574879797, -0.99936080744}, 1e-7);
  const auto wide = waves(json::object(), 8, {100000});  // the second wave's angle is 100000 / 10000^(1/3)
  EXPECT_NEAR(wide[1], -0.99347348738, 1e-7);
  EXPECT_NEAR(wide[5], -0.11406327139, 1e-7);
  EXPECT_FALSE(make<Positional>("sinusoidal")->limit());
  const auto shifted = waves(json::object(), 8, {99999});
  EXPECT_NEAR(shifted[0] * shifted[0] + shifted[4] * shifted[4], 1, 1e-6);
}

TEST(Sinusoidal, EveryRowHasItsOwnPositions) {
  const auto x = at::zeros({2, 2, 8}, at::kFloat);
  const std::vector<int64_t> positions{0, 1, 3, 0};
  const auto out = make<Positional>("sinusoidal")->embed(x, at::tensor(positions, at::kLong).view({2, 2}));
  expect_near(values_of(out), waves(json::object(), 8, positions), 0);
}

TEST(Sinusoidal, NarrowestWidthIsFinite) { expect_near(waves(json::object(), 2, {1}), {.84147098, .54030231}); }

TEST(Sinusoidal, OddWidthIsRefusedAtPlanTimeAndInTheRun) {
  const auto scheme = make<Positional>("sinusoidal");
  FakeModel model;
  Assembly assembly;
  assembly.model = &model;
  EXPECT_TRUE(scheme->validate(assembly).empty());
  model.model_width = 7;
  ASSERT_EQ(scheme->validate(assembly).size(), 1u);
  EXPECT_THAT(scheme->validate(assembly)[0], HasSubstr("must be even, not 7"));
  try {
    scheme->embed(at::zeros({1, 1, 7}), at::zeros({1, 1}, at::kLong));
    FAIL() << "an odd width was taken";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("must be even, not 7"));
  }
}

}  // namespace
}  // namespace assay::testing
