// Weights and padding that an earlier transform gave to a sequence: they move with their tokens.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bound.h"

namespace assay::testing {
namespace {

using nlohmann::json;

struct Rig : BoundFim {
  using BoundFim::BoundFim;
  Sample of(Sample context, uint64_t seed) const {
    transform->apply(context, Draws(seed, "weights"));
    return context;
  }
};

Sample context_of(const std::string& text, std::vector<float> weights, std::vector<bool> real = {}) {
  Sample sample;
  sample.tokens = read(text);
  sample.loss_weight = std::move(weights);
  sample.key_mask = std::move(real);
  return sample;
}

// Every letter occurs once in the piece, so that it identifies its weight and mask.
TEST(FimWeights, OfAPieceMoveWithTheirTokensAtTokenCuts) {
  const Rig fim(json{{"rate", 1.0}, {"cut", "token"}});
  const auto given = context_of("abcdefgh<EOT>", {0, 0.25, 0.5, 0, 0.75, 0, 0, 0.125, 1},
                                {true, true, false, true, true, false, true, true, true});
  int moved = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const auto sample = fim.of(given, seed);
    ASSERT_EQ(sample.tokens.size(), 9u);
    moved += sample.tokens[3] != given.tokens[0];
    for (size_t i = 0; i < sample.tokens.size(); ++i) {
      const auto id = sample.tokens[i];
      const auto source = static_cast<size_t>(id - 'a');
      EXPECT_EQ(sample.loss_weight[i], kSentinels.has(id) ? 0.75F : given.loss_weight[source]) << seed << " " << i;
      EXPECT_EQ(sample.key_mask.empty() || sample.key_mask[i], kSentinels.has(id) || given.key_mask[source])
          << seed << " " << i;
    }
  }
  EXPECT_GT(moved, 25);
}

TEST(FimWeights, OfPaddingDoNotApplyToSentinels) {
  const Rig fim(json{{"rate", 1.0}, {"cut", "token"}});
  const auto sample = fim.of(context_of("ab<EOT>", {0.5, 2, 1}, {true, false, true}), 1);
  for (size_t i = 0; i < 3; ++i)
    if (kSentinels.has(sample.tokens[i])) {
      EXPECT_EQ(sample.loss_weight[i], 0.5F);
    }
  // Text of padding alone counts as empty.
  const auto padded = context_of("ab<EOT>cd", {1, 1, 1, 0, 0}, {true, true, true, false, false});
  const auto after = fim.of(context_of("<EOT>cd", {1, 0, 0}, {true, false, false}), 1);
  EXPECT_EQ(shown(after.tokens), "<EOT>cd");
  EXPECT_EQ(after.key_mask, (std::vector<bool>{true, false, false}));
  EXPECT_NE(shown(fim.of(padded, 1).tokens), "ab<EOT>cd");
}

// Character cuts encode a piece again: either all its tokens have one weight, or it stays unchanged.
TEST(FimWeights, AtCharacterCutsAPieceHasOneWeightOrIsUnchanged) {
  const Rig fim(json{{"rate", 1.0}});
  const auto mixed = context_of("abcdefgh", {1, 1, 0, 0, 0, 1, 1, 1});
  const auto padded = context_of("abcdefgh", {}, {true, true, true, true, true, true, false, false});
  const auto half = context_of("abcdefgh", std::vector<float>(8, 0.5F));
  for (uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(fim.of(mixed, seed).tokens, mixed.tokens);
    EXPECT_EQ(fim.of(mixed, seed).loss_weight, mixed.loss_weight);
    EXPECT_EQ(fim.of(padded, seed).tokens, padded.tokens);
    EXPECT_EQ(fim.of(padded, seed).key_mask, padded.key_mask);
    EXPECT_NE(fim.of(half, seed).tokens, half.tokens);
    EXPECT_EQ(fim.of(half, seed).loss_weight, half.loss_weight);
  }
}

}  // namespace
}  // namespace assay::testing
