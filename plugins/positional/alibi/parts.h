// ALiBi for documents that were cut into parts and rearranged (fill-in-the-middle, where the suffix may come between
// prefix and middle). ALiBi's author proposed to restart distances in every part, or to give each part heads of its own
// (issue 5 of github.com/ofirpress/attention_with_linear_biases, 2022-11-09); the first is here in two readings.
#pragma once

#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>

#include <limits>
#include <string>
#include <vector>

#include "assay/batch.h"
#include "assay/positional.h"

namespace assay::alibi {

// For each of these segments [1 or B, N], the positions of the keys in it, and `elsewhere` for all other keys:
// [1 or B, N, S]. A part is one contiguous stretch of a document, so the number of its segment identifies it.
inline Tensor positions_within(const Tensor& segments, const AttentionContext& context, int64_t elsewhere) {
  const auto same = segments.unsqueeze(-1).eq(context.key_segments.unsqueeze(-2));
  return at::where(same, context.key_positions.unsqueeze(-2),
                   at::scalar_tensor(elsewhere, context.key_positions.options()));
}
inline Tensor first_of(const Tensor& segments, const AttentionContext& context) {
  return at::amin(positions_within(segments, context, std::numeric_limits<int64_t>::max()), -1);
}
inline Tensor last_of(const Tensor& segments, const AttentionContext& context) {
  return at::amax(positions_within(segments, context, -1), -1);
}

// The bias [1 or B, H, Q, S] in the dtype of scores; how: "positions", "distances" or "heads". Distances to keys of the
// query's own part, and to keys of other documents, stay as they are.
inline Tensor bias_by_parts(const std::string& how, const Tensor& slopes_H, const AttentionContext& context) {
  const auto query_segments = context.query_segments.unsqueeze(-1), key_segments = context.key_segments.unsqueeze(-2);
  const auto document = [](const Tensor& segments) { return segments.floor_divide(kParts); };
  const auto elsewhere_BQS =
      query_segments.ne(key_segments).logical_and(document(query_segments).eq(document(key_segments)));
  const auto query_place = (context.query_positions - first_of(context.query_segments, context)).unsqueeze(-1);
  Tensor distance;
  if (how == "positions")
    distance = (query_place - (context.key_positions - first_of(context.key_segments, context)).unsqueeze(-2)).abs();
  else
    distance = query_place + 1 + (last_of(context.key_segments, context) - context.key_positions).unsqueeze(-2);
  const auto distance_BQS = at::where(elsewhere_BQS, distance, attention_distance(context));
  const auto bias = slopes_H.neg().view({1, -1, 1, 1}) * distance_BQS.unsqueeze(1).to(context.score_type);
  if (how != "heads") return bias;
  constexpr Part kServed[] = {Part::kPrefix, Part::kSuffix, Part::kMiddle};
  std::vector<int64_t> served;
  for (int64_t head = context.head_begin; head < context.head_begin + context.heads; ++head)
    served.push_back(static_cast<int64_t>(kServed[head % 3]));
  const auto served_H = at::tensor(served, context.query_positions.options()).view({1, -1, 1, 1});
  const auto others = key_segments.remainder(kParts).unsqueeze(1).ne(served_H);
  return bias.masked_fill(elsewhere_BQS.unsqueeze(1).logical_and(others), -std::numeric_limits<double>::infinity());
}

// A scheme that gives slopes, with the parameter `parts`.
template <class Scheme>
class WithParts final : public Scheme {
 public:
  struct Config : Scheme::Config {
    std::string parts = "ignored";
  };
  static void describe(auto& schema) {
    Scheme::describe(schema);
    schema.param(
        "parts", &Config::parts,
        "How the parts of a rearranged document (prefix, suffix, middle) change the distance to a key in another part "
        "than the query's. ignored: not at all. positions: positions restart at 0 in every part, and the distance is "
        "their difference. distances: as if the key's part came right before the query's. heads: as distances, and "
        "every head sees only one part besides the query's own: prefix, suffix and middle in turn.",
        {"ignored", "positions", "distances", "heads"});
  }
  explicit WithParts(const Config& config) : Scheme(config), parts_(config.parts) {}

  void fit(const AttentionShape& shape) override {
    Scheme::fit(shape);
    if (parts_ == "heads" && shape.heads < 3)
      throw UserError("parts = \"heads\" divides the heads among three parts, and the model has " +
                      std::to_string(shape.heads) + "; give it three or more");
  }

  AttentionBias attention_bias(const AttentionContext& context) const override {
    auto bias = Scheme::attention_bias(context);
    if (parts_ == "ignored" || !context.query_segments.defined()) return bias;
    bias.dense_BHQS = bias_by_parts(parts_, bias.slopes_H, context);
    bias.slopes_H = Tensor();
    return bias;
  }

 private:
  std::string parts_;
};

}  // namespace assay::alibi
