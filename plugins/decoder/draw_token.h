// Samples tokens: temperature, top-k (Fan, Lewis, Dauphin 2018, arXiv:1805.04833, sec. 5.4), top-p (Holtzman et al.
// 2020, arXiv:1904.09751, sec. 3.1) and locally typical sampling (Meister et al. 2023, arXiv:2202.00666, sec. 4), in
// that order, each on what the previous one kept, renormalised. Of equal logits the lower id counts as the more likely.
#pragma once

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "assay/decoder.h"
#include "assay/error.h"
#include "most_likely.h"

namespace assay::decoding {

struct Filters {
  double temperature = 1.0;
  int64_t top_k = 0;     // 0: all
  double top_p = 1.0;    // 1: all
  double typical = 1.0;  // 1: all
};

// Keeps the fewest first ids whose weights reach `share` of the sum.
inline void keep_share(std::vector<int64_t>& ids, std::vector<double>& weights, double share) {
  const double enough = share * std::accumulate(weights.begin(), weights.end(), 0.0);
  size_t kept = 0;
  for (double sum = 0; kept < weights.size();) {
    sum += weights[kept++];
    if (sum >= enough) break;
  }
  ids.resize(kept);
  weights.resize(kept);
}

// Sorts by typicality: ids whose -ln p is nearest to the entropy come first.
inline void order_by_typicality(std::vector<int64_t>& ids, std::vector<double>& weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  const auto information = [&](size_t i) { return weights[i] > 0 ? -std::log(weights[i] / total) : 1e300; };
  double entropy = 0;
  for (size_t i = 0; i < weights.size(); ++i)
    if (weights[i] > 0) entropy += weights[i] / total * information(i);
  std::vector<size_t> order(ids.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t one, size_t other) {
    return std::abs(information(one) - entropy) < std::abs(information(other) - entropy);
  });
  const auto old_ids = ids;
  const auto old_weights = weights;
  for (size_t i = 0; i < order.size(); ++i) {
    ids[i] = old_ids[order[i]];
    weights[i] = old_weights[order[i]];
  }
}

// Samples an id from logits [V] by inverting the cumulative distribution; `draw` in [0, 1).
inline int64_t draw_token(const double* logits, int64_t V, const Filters& filters, double draw) {
  double highest = -std::numeric_limits<double>::infinity();
  for (int64_t id = 0; id < V; ++id) {
    if (std::isnan(logits[id])) throw UserError("logits contain NaN; check the model's weights");
    highest = std::max(highest, logits[id]);
  }
  if (std::isinf(highest)) throw UserError("the highest logit is infinite; check the model's weights");
  auto ids = most_likely(logits, V, filters.top_k > 0 ? std::min(filters.top_k, V) : V);
  std::vector<double> weights;
  for (const auto id : ids) weights.push_back(std::exp((logits[id] - highest) / filters.temperature));
  while (weights.size() > 1 && weights.back() == 0) weights.pop_back(), ids.pop_back();  // banned tokens
  if (filters.top_p < 1) keep_share(ids, weights, filters.top_p);
  if (filters.typical < 1) {
    order_by_typicality(ids, weights);
    keep_share(ids, weights, filters.typical);
  }
  double rest = draw * std::accumulate(weights.begin(), weights.end(), 0.0);
  size_t chosen = 0;
  while (chosen + 1 < ids.size() && rest >= weights[chosen]) rest -= weights[chosen++];
  return ids[chosen];
}

// Samples the next token of every row, [B] int64 on the CPU, with the row's own draw of this step.
inline Tensor draw_tokens(DecodeContext& context, const Tensor& logits, const Filters& filters) {
  const auto logits_BV = logits.to(at::kCPU, at::kDouble).contiguous();
  const int64_t B = logits_BV.size(0), V = logits_BV.size(1);
  auto tokens = at::empty({B}, at::kLong);
  for (int64_t row = 0; row < B; ++row)
    tokens.data_ptr<int64_t>()[row] = draw_token(logits_BV.const_data_ptr<double>() + row * V, V, filters,
                                                 context.draws(row).uniform(static_cast<uint64_t>(context.step())));
  return tokens;
}

}  // namespace assay::decoding
