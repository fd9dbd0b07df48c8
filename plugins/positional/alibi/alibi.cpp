// ALiBi: attention with linear biases. Press, Smith, Lewis 2022, arXiv:2108.12409, sec. 3.
#include <ATen/ops/tensor.h>

#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "assay/plugin.h"
#include "assay/positional.h"
#include "parts.h"

namespace {

class Alibi final : public assay::Positional {
 public:
  struct Config {
    double max_exponent = 8.0;
    std::string parts = "ignored";
  };
  static void describe(auto& schema) {
    schema.doc("Adds -slope * distance to every attention score; no embeddings.")
        .paper("arXiv:2108.12409")
        .param("max_exponent", &Config::max_exponent, "Last head's slope is 2^-max_exponent.", 1, 64)
        .param(
            "parts", &Config::parts,
            "What the parts of a rearranged document (prefix, suffix, middle) do to the distance of a key in another "
            "part than the query. ignored: nothing. positions: they restart in every part, and the distance is the "
            "difference of these. distances: it is as if that part stood right before the query's. heads: as "
            "distances, and every third head sees of the other parts only one, prefix, suffix and middle in turn.",
            {"ignored", "positions", "distances", "heads"});
  }
  explicit Alibi(const Config& config) : config_(config) {}

  void fit(const assay::AttentionShape& shape) override {
    if (config_.parts == "heads" && shape.heads < 3)
      throw assay::UserError("parts = \"heads\" divides the heads among three parts, and the model has " +
                             std::to_string(shape.heads) + "; give it three or more");
  }

  // Slopes belong to the heads of the whole model; this rank takes its slice of them.
  assay::AttentionBias attention_bias(const assay::AttentionContext& context) const override {
    std::vector<double> slopes;
    for (int64_t head = context.head_begin; head < context.head_begin + context.heads; ++head)
      slopes.push_back(slope(head, context.heads_total));
    assay::AttentionBias bias;
    const auto slopes_H = at::tensor(slopes, context.query_positions.options().dtype(context.score_type));
    if (config_.parts == "ignored" || !context.query_segments.defined())
      bias.slopes_H = slopes_H;
    else
      bias.dense_BHQS = assay::alibi::bias_by_parts(config_.parts, slopes_H, context);
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

ASSAY_PLUGIN("alibi", "1.1.0", assay::component<Alibi>("alibi"))
