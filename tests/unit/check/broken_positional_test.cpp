// The kit catches positional schemes that violate one property each.
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros_like.h>

#include "assay/positional.h"
#include "unit/check/broken.h"

namespace assay::check {
namespace {

// A valid scheme with learned slopes; each scheme below violates one property.
class Good : public Positional {
 public:
  struct Config {
    double slope = 0.1;
  };
  static void describe(auto& schema) {
    schema.doc("Learned slopes.").param("slope", &Config::slope, "At the start.", 0.01, 1);
  }
  explicit Good(const Config& config) : config_(config) {}
  void fit(const AttentionShape& shape) override { heads_ = shape.heads; }
  void build(Parameters& parameters) override {
    slope_H_ =
        parameters.add({.name = "slope", .shape = {heads_}, .shard_dim = 0, .init = Init::constant(config_.slope)});
  }
  AttentionBias attention_bias(const AttentionContext&) const override {
    AttentionBias bias;
    bias.slopes_H = slope_H_;
    return bias;
  }

 protected:
  Config config_;
  int64_t heads_ = 0;
  Tensor slope_H_;
};

TEST(BrokenPositional, NoFaultsOfAValidOne) { expect_faults<Good>({}); }

struct SameHeadsOnEveryRank : Good {
  using Good::Good;
  AttentionBias attention_bias(const AttentionContext& context) const override {
    AttentionBias bias;
    bias.slopes_H = slope_H_ * (at::arange(context.heads, slope_H_.options()) + 1);
    return bias;
  }
};
TEST(BrokenPositional, SlicesOfRanks) {
  expect_faults<SameHeadsOnEveryRank>(
      {"each rank computes its slice of the heads, for tensor = 1, 2, 4",
       "tensor = 1, 2, 4 and data = 1, 2 train the same weights",
       "a run resumes from its checkpoint bit-identically, and the checkpoint loads on other meshes"});
}

// One number per channel, added to embeddings as if they were not split.
struct KnowsNoPart : Good {
  using Good::Good;
  void fit(const AttentionShape& shape) override {
    Good::fit(shape);
    width_ = shape.width;
  }
  void build(Parameters& parameters) override {
    Good::build(parameters);
    shift_D_ = parameters.add({.name = "shift", .shape = {width_}, .init = Init::normal(0.1)});
  }
  Tensor embed(const Tensor& x_BTD, const Tensor&) const override { return x_BTD + shift_D_; }

 private:
  int64_t width_ = 0;
  Tensor shift_D_;
};
TEST(BrokenPositional, PartOfTheSequence) {
  expect_faults<KnowsNoPart>({"tensor = 1, 2, 4 and data = 1, 2 train the same weights"});
}

struct CountsFromTheFirstQuery : Good {
  using Good::Good;
  AttentionBias attention_bias(const AttentionContext& context) const override {
    AttentionBias bias;
    const auto row = at::arange(context.query_positions.size(1), slope_H_.options());
    const auto key = at::arange(context.key_positions.size(1), slope_H_.options());
    bias.dense_BHQS = (slope_H_.view({1, -1, 1, 1}) * (key.unsqueeze(0) - row.unsqueeze(1)));
    return bias;
  }
};
TEST(BrokenPositional, IndicesInsteadOfPositions) {
  expect_faults<CountsFromTheFirstQuery>(
      {"with fewer queries than keys, the results are rows of the full result",
       "in cached decoding, the results are rows of the full result",
       "alternatives in a cache do not attend to one another"});  // alone, a row moves as a whole, which no softmax
                                                                  // sees
}

// The result does not depend on the queries for a given number of keys, but decoding a token has fewer keys than a full
// forward pass.
struct DividesByTheKeys : Good {
  using Good::Good;
  AttentionBias attention_bias(const AttentionContext& context) const override {
    AttentionBias bias;
    bias.slopes_H = slope_H_ / context.key_positions.size(1);
    return bias;
  }
};
TEST(BrokenPositional, TheNumberOfKeys) {
  expect_faults<DividesByTheKeys>({"in cached decoding, the results are rows of the full result",
                                   "cached decoding equals the full forward pass",
                                   "alternatives in a cache do not attend to one another"});
}

// An error names the tensor with the wrong shape, once, without LibTorch's stack frames.
struct ForgetsItsHeads : Good {
  using Good::Good;
  AttentionBias attention_bias(const AttentionContext& context) const override {
    AttentionBias bias;
    bias.dense_BHQS = slope_H_.sum() * attention_distance(context).to(context.score_type);
    return bias;
  }
};
TEST(BrokenPositional, AShapeOfTheBias) {
  std::string messages;
  EXPECT_FALSE(faults_of<ForgetsItsHeads>(&messages).empty());
  EXPECT_THAT(messages, ::testing::HasSubstr(
                            "cached decoding equals the full forward pass: it throws an exception: plugin 'broken', "
                            "component 'broken', hook "
                            "'attention_bias': dense_BHQS has sizes [1, 12, 12]; it must be [1, 1 or 4, 12, 12]: rows, "
                            "heads of this rank, queries, keys\n"));
  EXPECT_THAT(messages, ::testing::Not(::testing::HasSubstr("frame #")));
}

struct LosesItsBatch : Good {
  using Good::Good;
  Tensor embed(const Tensor& x_BTD, const Tensor&) const override { return x_BTD[0]; }
};
TEST(BrokenPositional, AShapeOfTheEmbeddings) {
  std::string messages;
  EXPECT_FALSE(faults_of<LosesItsBatch>(&messages).empty());
  EXPECT_THAT(messages,
              ::testing::HasSubstr(
                  "hook 'embed': the embeddings have sizes [12, 16]; they must keep their sizes, [6, 12, 16]\n"));
}

// Errors of LibTorch in a hook are reported with their message alone.
struct AsksForARowThatIsNotThere : Good {
  using Good::Good;
  std::pair<Tensor, Tensor> rotate(const Tensor& q, const Tensor& k, const AttentionContext&) const override {
    return {q.select(0, 99), k};
  }
};
TEST(BrokenPositional, AnErrorOfLibTorchInAHook) {
  std::string messages;
  EXPECT_FALSE(faults_of<AsksForARowThatIsNotThere>(&messages).empty());
  EXPECT_THAT(messages, ::testing::HasSubstr("component 'broken', hook 'rotate': select(): index 99 out of range"));
  EXPECT_THAT(messages, ::testing::Not(::testing::HasSubstr("frame #")));
}

struct HasNoGradient : Good {
  using Good::Good;
  AttentionBias attention_bias(const AttentionContext&) const override {
    AttentionBias bias;
    bias.slopes_H = slope_H_.detach();
    return bias;
  }
};
TEST(BrokenPositional, DetachedParameters) {
  expect_faults<HasNoGradient>({"its parameter gradients agree with finite differences"});
}

struct WorksInFp64Alone : Good {
  using Good::Good;
  Tensor embed(const Tensor& x, const Tensor&) const override {
    return x.scalar_type() == at::kDouble ? x : at::zeros_like(x);
  }
};
TEST(BrokenPositional, OtherDtypes) { expect_faults<WorksInFp64Alone>({"fp32 and bf16 agree with fp64"}); }

struct HasALimitItDoesNotKeep : Good {
  using Good::Good;
  std::optional<int64_t> limit() const override { return 64; }
};
TEST(BrokenPositional, ItsLimit) { expect_faults<HasALimitItDoesNotKeep>({"positions beyond its limit are rejected"}); }

struct RefusesALimit : Good {
  explicit RefusesALimit(const Config& config) : Good(config) {
    if (config.slope == 1) throw UserError("cannot be that large");
  }
};
TEST(BrokenPositional, ARefusalWithoutAReason) {
  expect_faults<RefusesALimit>(
      {"it can be constructed at the limits of every parameter, or names the parameter that it rejects"});
}

struct Silent : Good {
  static void describe(auto& schema) { schema.param("slope", &Config::slope, "", 0.01, 1); }
  using Good::Good;
};
TEST(BrokenPositional, NoDescription) { expect_faults<Silent>({"it and every parameter have a description"}); }

struct CannotBeMade : Good {
  explicit CannotBeMade(const Config& config) : Good(config) { throw UserError("the slope is wrong"); }
};
TEST(BrokenPositional, DefaultsThatAreRefused) {
  const auto faults = faults_of<CannotBeMade>();
  ASSERT_FALSE(faults.empty());
  EXPECT_EQ(faults[0], "it can be constructed with its defaults");
}

}  // namespace
}  // namespace assay::check
