// ALiBi: attention with linear biases. Press, Smith, Lewis 2022, arXiv:2108.12409, sec. 3.
#include <ATen/ops/tensor.h>

#include <bit>
#include <cmath>
#include <vector>

#include "assay/plugin.h"
#include "assay/positional.h"
#include "parts.h"  // WithParts: the variants for rearranged documents

namespace {

class Alibi : public assay::Positional {
 public:
  struct Config {
    double max_exponent = 8.0;
  };
  static void describe(auto& schema) {
    schema.doc("Adds -slope * distance to every attention score; no embeddings.")
        .paper("arXiv:2108.12409")
        .param("max_exponent", &Config::max_exponent, "The last head's slope is 2^-max_exponent.", 1, 64);
  }
  explicit Alibi(const Config& config) : config_(config) {}

  // Slopes belong to the heads of the whole model; this rank takes its slice of them.
  assay::AttentionBias attention_bias(const assay::AttentionContext& context) const override {
    std::vector<double> slopes;
    for (int64_t head = context.head_begin; head < context.head_begin + context.heads; ++head)
      slopes.push_back(slope(head, context.heads_total));
    assay::AttentionBias bias;
    bias.slopes_H = at::tensor(slopes, context.query_positions.options().dtype(context.score_type));
    return bias;
  }

 private:
  // A geometric sequence over the largest power of two c of heads; the heads beyond it take every other slope of the
  // sequence for 2c heads, in that order and not sorted (get_slopes of the authors' code).
  double slope(int64_t head, int64_t heads) const {
    const auto c = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(heads)));
    const int64_t place = head < c ? 2 * (head + 1) : 2 * (head - c) + 1;
    return std::exp2(-config_.max_exponent * static_cast<double>(place) / static_cast<double>(2 * c));
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("alibi", "1.1.0", assay::component<assay::alibi::WithParts<Alibi>>("alibi"))
