// T5's relative position bias: a learned number per head and per bucket of distances; near buckets are single
// distances, farther ones grow logarithmically up to max_distance. Raffel et al. 2020, arXiv:1910.10683, sec. 2.1. One
// table serves all layers, as in T5; unlike T5's, our scores are divided by sqrt(head width) before it is added.
// rule = "cocolm": the buckets of COCO-LM's code (Meng et al. 2021, arXiv:2102.08473, relative_position_bucket), with
// h = buckets / 2 per side, m = h / 2 of them single distances, and D = max_distance:
//   b(n) = n for n < m, else min(m + ceil(ln(n / m) / ln((D - 1) / m) * (h - 1 - m)), h - 1)
//   row = sign(key - query) * b(|key - query|) + b(positions - 1)
// so one row is never used, and the rows depend on `positions`, the longest input that the table was made for.
#include <ATen/ops/gt.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <vector>

#include "assay/plugin.h"
#include "assay/positional.h"

namespace {

using assay::Tensor;

// Bucket of each distance 0 .. max_distance among `buckets`, half of which are single distances.
std::vector<int64_t> logarithmic(int64_t buckets, int64_t max_distance) {
  const int64_t exact = buckets / 2;
  std::vector<int64_t> bucket;
  for (int64_t n = 0; n <= max_distance; ++n) {
    // In base 2, so that powers of two fall on the first distance of a bucket exactly.
    const double octaves = n < exact ? 0 : std::log2(static_cast<double>(n) / static_cast<double>(exact)),
                 all = std::log2(static_cast<double>(max_distance) / static_cast<double>(exact));
    const auto beyond = static_cast<int64_t>(octaves / all * static_cast<double>(buckets - exact));
    bucket.push_back(n < exact ? n : std::min(exact + beyond, buckets - 1));
  }
  return bucket;
}

std::vector<int64_t> logarithmic_of_cocolm(int64_t half, int64_t max_distance, int64_t positions) {
  const int64_t exact = half / 2;
  std::vector<int64_t> bucket;
  for (int64_t n = 0; n < positions; ++n) {
    const auto m = static_cast<double>(exact);
    const auto beyond = n < exact ? 0
                                  : std::ceil(std::log(static_cast<double>(n) / m) /
                                              std::log(static_cast<double>(max_distance - 1) / m) *
                                              static_cast<double>(half - 1 - exact));
    bucket.push_back(n < exact ? n : std::min(exact + static_cast<int64_t>(beyond), half - 1));
  }
  return bucket;
}

class T5 final : public assay::Positional {
 public:
  struct Config {
    int64_t buckets = 32;
    int64_t max_distance = 128;
    double init_std = 0.02;
    std::string rule = "t5";
    int64_t positions = 0;
  };
  static void describe(auto& schema) {
    schema.doc("Adds a learned bias per head and per logarithmic bucket of distances to the attention scores.")
        .paper("arXiv:1910.10683")
        .param("buckets", &Config::buckets, "Rows of the table; with bidirectional attention, half for each side.", 4,
               65536)
        .param("rule", &Config::rule, "How distances map to buckets: T5's rule, or that of COCO-LM's code.",
               {"t5", "cocolm"})
        .param("positions", &Config::positions,
               "With rule = \"cocolm\": the longest input, on which its buckets depend; required there, and 0 "
               "otherwise.",
               0, 1 << 24)
        .param("max_distance", &Config::max_distance, "Distances from this one on share the last bucket.", 2, 1 << 24)
        .param("init_std", &Config::init_std, "Standard deviation of the table's initial values.", 0, 10);
  }
  explicit T5(const Config& config) : config_(config) {
    if (config.buckets % 4 != 0)
      throw assay::UserError("buckets must be a multiple of 4 (two sides, half of each for single distances), not " +
                             std::to_string(config.buckets));
    if (config.max_distance <= config.buckets / 2)
      throw assay::UserError("max_distance must be above buckets / 2 = " + std::to_string(config.buckets / 2) +
                             ", the distances that have a bucket of their own; it is " +
                             std::to_string(config.max_distance));
    if ((config.rule == "cocolm") != (config.positions > 0))
      throw assay::UserError(
          "rule = \"cocolm\" needs positions, the longest input, and rule = \"t5\" takes none; give " +
          std::string(config.positions > 0 ? "rule = \"cocolm\", or no positions" : "positions = the longest input"));
    if (config.rule == "cocolm") {
      signed_ = at::tensor(logarithmic_of_cocolm(config.buckets / 2, config.max_distance, config.positions), at::kLong);
      return;
    }
    causal_ = at::tensor(logarithmic(config.buckets, config.max_distance), at::kLong);
    symmetric_ = at::tensor(logarithmic(config.buckets / 2, config.max_distance), at::kLong);
  }

  void fit(const assay::AttentionShape& shape) override { heads_ = shape.heads; }

  void build(assay::Parameters& parameters) override {
    table_NH_ = parameters.add({.name = "weight",
                                .shape = {config_.buckets, heads_},
                                .shard_dim = 1,
                                .init = assay::Init::normal(config_.init_std),
                                .role = assay::Role::kEmbedding});
    for (auto* buckets : {&causal_, &symmetric_, &signed_})
      if (buckets->defined()) *buckets = buckets->to(table_NH_.device());
  }

  assay::AttentionBias attention_bias(const assay::AttentionContext& context) const override {
    assay::AttentionBias bias;
    bias.table_NH = table_NH_;
    if (signed_.defined()) {
      bias.bucket = [this](const Tensor& key_minus_query) {
        return key_minus_query.sign() * signed_.take(key_minus_query.abs()) + signed_[-1];
      };
      return bias;
    }
    bias.bucket = [this, causal = context.causal](const Tensor& key_minus_query) {
      if (causal) return causal_.take(key_minus_query.neg().clamp(0, config_.max_distance));
      const auto after = key_minus_query.gt(0).to(at::kLong) * (config_.buckets / 2);
      return symmetric_.take(key_minus_query.abs().clamp_max(config_.max_distance)) + after;
    };
    return bias;
  }

  std::optional<int64_t> limit() const override {
    return config_.positions > 0 ? std::optional(config_.positions) : std::nullopt;
  }

 private:
  Config config_;
  int64_t heads_ = 0;
  Tensor causal_, symmetric_;  // [max_distance + 1]: bucket by distance
  Tensor signed_;              // [positions], instead of both: by distance to either side, before sign and shift
  Tensor table_NH_;            // N buckets, the heads of this rank
};

}  // namespace

ASSAY_PLUGIN("t5", "1.1.0", assay::component<T5>("t5"))
