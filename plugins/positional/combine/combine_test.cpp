// Combined schemes against the schemes applied one by one.
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include "assay/positional.h"
#include "fakes.h"
#include "mesh/backends.h"
#include "nn/store.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// The combination for two heads of width four.
struct Combined {
  explicit Combined(const json& schemes) : scheme(make<Positional>("combine", {{"schemes", schemes}})) {
    scheme->fit({.layers = 1, .heads = 2, .width = 8});
  }
  Positional* operator->() const { return &*scheme; }
  Made<Positional> scheme;
};

AttentionContext context_of(int64_t length) {
  AttentionContext context;
  context.heads = context.heads_total = 2;
  context.query_positions = context.key_positions = at::arange(length, at::kLong).unsqueeze(0);
  context.score_type = at::kDouble;
  return context;
}

TEST(Combine, EmbedsAndRotatesByEachInTurn) {
  const Combined both({"sinusoidal", "rotary"});
  const auto one = make<Positional>("sinusoidal"), other = make<Positional>("rotary");
  for (const auto* scheme : {&one, &other}) (*scheme)->fit({.layers = 1, .heads = 2, .width = 8});
  const auto context = context_of(5);
  const auto x = (at::arange(40, at::kDouble) * 0.3).cos().view({1, 5, 8});
  EXPECT_TRUE(both->embed(x, context.query_positions).equal(one->embed(x, context.query_positions)));
  EXPECT_FALSE(both->embed(x, context.query_positions).equal(x));
  const auto q = (at::arange(40, at::kDouble) * 0.7).sin().view({1, 2, 5, 4}), k = q * 2;
  const auto [q_both, k_both] = both->rotate(q, k, context);
  const auto [q_other, k_other] = other->rotate(q, k, context);
  EXPECT_TRUE(q_both.equal(q_other));
  EXPECT_TRUE(k_both.equal(k_other));
  EXPECT_FALSE(q_both.equal(q));
}

TEST(Combine, SumsBiases) {
  const auto context = context_of(6);
  const auto dense = [&](const json& scheme) {
    const auto made = make<Positional>("alibi", scheme);
    return made->attention_bias(context).dense(context);
  };
  const json steep = {{"use", "alibi"}, {"max_exponent", 2}};
  const auto both = Combined({"alibi", "none", steep})->attention_bias(context);
  EXPECT_TRUE(both.slopes_H.defined());
  EXPECT_LE((both.dense(context) - dense(json::object()) - dense({{"max_exponent", 2}})).abs().max().item<double>(),
            1e-15);
  // A form is unchanged when the other schemes have no bias.
  const auto alone = Combined({"none", "alibi"})->attention_bias(context);
  EXPECT_TRUE(alone.slopes_H.defined());
  EXPECT_FALSE(alone.dense_BHQS.defined());
  EXPECT_TRUE(Combined(json::array({"none"}))->attention_bias(context).empty());
}

TEST(Combine, HasTheSmallestLimit) {
  const auto learned = [](int64_t positions) { return json{{"use", "learned"}, {"positions", positions}}; };
  EXPECT_EQ(Combined({"alibi", "none"})->limit(), std::nullopt);
  EXPECT_EQ(Combined({learned(9), "alibi", learned(5)})->limit(), 5);
}

TEST(Combine, NeedsASchemeAndNamesTheOneThatFails) {
  EXPECT_THROW(Combined(json::array()), std::exception);
  try {
    const auto odd = make<Positional>("combine", {{"schemes", {"none", "rotary"}}});
    odd->fit({.layers = 1, .heads = 2, .width = 6});
    FAIL() << "an odd head width was rotated";
  } catch (const PluginError& error) {
    EXPECT_THAT(error.what(), HasSubstr("rotary"));
  }
}

}  // namespace
}  // namespace assay::testing
