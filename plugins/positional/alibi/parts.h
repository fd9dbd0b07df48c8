// ALiBi for texts that were cut in parts and rearranged (fill-in-the-middle, where the suffix may lie between prefix
// and middle). Its author proposed to restart distances in every part, or to give each part heads of its own (issue 5
// of github.com/ofirpress/attention_with_linear_biases, 2022-11-09); the first is here in two readings.
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

// Of each of these segments [1 or B, N], the positions of its tokens among the keys, `elsewhere` for those of others:
// [1 or B, N, S]. A part is one stretch of a document, so that its number finds it.
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

// The bias [1 or B, H, Q, S] in the type of scores; how: "positions", "distances" or "heads". Keys of the query's own
// part, and of other documents, are as far as ever.
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
  constexpr Part kTurns[] = {Part::kPrefix, Part::kSuffix, Part::kMiddle};
  std::vector<int64_t> served;
  for (int64_t head = context.head_begin; head < context.head_begin + context.heads; ++head)
    served.push_back(static_cast<int64_t>(kTurns[head % 3]));
  const auto served_H = at::tensor(served, context.query_positions.options()).view({1, -1, 1, 1});
  const auto others = key_segments.remainder(kParts).unsqueeze(1).ne(served_H);
  return bias.masked_fill(elsewhere_BQS.unsqueeze(1).logical_and(others), -std::numeric_limits<double>::infinity());
}

}  // namespace assay::alibi
