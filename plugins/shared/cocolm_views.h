// What COCO-LM prepares of a sequence before any forward: its tokens behind [CLS], which of them are masked, and a
// crop. Draws are keyed by sequence, so nothing depends on how sequences are batched.
#pragma once

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "assay/batch.h"
#include "assay/random.h"

namespace assay::cocolm {

// The sequences of a batch, [B, T]: [CLS] before the first T - 1 of T tokens; real: not padding.
struct Sequences {
  Tensor tokens, real;
};

inline Sequences sequences_of(const Batch& batch, int64_t cls, int64_t pad) {
  const int64_t B = batch.rows(), T = batch.length();
  auto counts = batch.tokens.ne(pad);
  if (batch.key_mask.defined()) counts = counts.logical_and(batch.key_mask);
  Sequences out{at::full({B, T}, cls, at::kLong), at::empty({B, T}, at::kBool)};
  out.tokens.narrow(1, 1, T - 1).copy_(batch.tokens.narrow(1, 0, T - 1));
  out.real.narrow(1, 1, T - 1).copy_(counts.narrow(1, 0, T - 1));
  out.real.select(1, 0).copy_(out.real.narrow(1, 1, T - 1).any(1));  // a row of padding has no [CLS]
  out.tokens.masked_fill_(out.real.logical_not(), pad);
  return out;
}

// Marks [CLS] and the tokens that losses may count: not padding, and not of weight 0 as targets.
inline Tensor targets_of(const Batch& batch, const Tensor& real) {
  auto out = real.clone();
  const auto known = batch.length() - 2;  // loss_weight belongs to targets, so the first token of a row has none
  if (batch.loss_weight.defined() && known > 0)
    out.narrow(1, 2, known).logical_and_(batch.loss_weight.narrow(1, 0, known).ne(0));
  return out;
}

// Positions of a row's n tokens that are not padding.
inline std::vector<int64_t> places_of(const bool* real, int64_t length) {
  std::vector<int64_t> places;
  for (int64_t t = 0; t < length; ++t)
    if (real[t]) places.push_back(t);
  return places;
}

// floor(probability * n + U) of these positions, or all where there are fewer: those with the smallest draws. The
// first, which is [CLS], is masked with mask_cls only.
inline std::vector<int64_t> masked_places(const std::vector<int64_t>& places, double probability, bool mask_cls,
                                          const Draws& draws) {
  const auto n = static_cast<double>(places.size());
  const auto wanted = static_cast<size_t>(probability * n + draws.uniform(0));
  std::vector<std::pair<double, int64_t>> order;
  for (size_t i = mask_cls ? 0 : 1; i < places.size(); ++i) order.emplace_back(draws.uniform(1 + i), places[i]);
  const auto count = static_cast<std::ptrdiff_t>(std::min(wanted, order.size()));
  std::partial_sort(order.begin(), order.begin() + count, order.end());
  std::vector<int64_t> chosen;
  for (std::ptrdiff_t i = 0; i < count; ++i) chosen.push_back(order[static_cast<size_t>(i)].second);
  return chosen;
}

// A contiguous crop of floor(fraction * n) of n tokens: first token and number of tokens.
struct Crop {
  int64_t begin = 0, size = 0;
};
inline int64_t crop_size(int64_t n, double fraction) { return static_cast<int64_t>(fraction * static_cast<double>(n)); }
inline Crop crop_of(int64_t n, double fraction, const Draws& draws) {
  const auto size = crop_size(n, fraction);
  if (size == 0) return {};
  return {static_cast<int64_t>(draws.below(static_cast<uint64_t>(n - size) + 1, 0)), size};
}

// Crops of sequences, [B, C], where C is the longest crop; shorter ones are padded at their end. With `cls` a crop that
// begins after the sequence's [CLS] gets one in front.
struct CropRule {
  double fraction;
  bool cls;
};
inline int64_t crop_width(int64_t length, const CropRule& rule) {
  const auto kept = crop_size(length, rule.fraction);
  return std::clamp<int64_t>(kept + (rule.cls ? 1 : 0), 1, length);
}
inline Sequences crops_of(const Sequences& whole, const CropRule& rule, const std::vector<Draws>& draws, int64_t cls,
                          int64_t pad) {
  const int64_t B = whole.tokens.size(0), T = whole.tokens.size(1);
  const auto width = crop_width(T, rule);
  Sequences out{at::full({B, width}, pad, at::kLong), at::zeros({B, width}, at::kBool)};
  for (int64_t row = 0; row < B; ++row) {
    const auto places = places_of(whole.real.const_data_ptr<bool>() + row * T, T);
    const auto [begin, size] =
        crop_of(static_cast<int64_t>(places.size()), rule.fraction, draws[static_cast<size_t>(row)]);
    auto* tokens = out.tokens.data_ptr<int64_t>() + row * width;
    auto* real = out.real.data_ptr<bool>() + row * width;
    int64_t at = 0;
    const auto add = [&](int64_t token) {
      tokens[at] = token;
      real[at++] = true;
    };
    if (rule.cls && begin > 0) add(cls);
    for (int64_t i = begin; i < begin + size; ++i)
      add(whole.tokens.const_data_ptr<int64_t>()[row * T + places[static_cast<size_t>(i)]]);
  }
  return out;
}

}  // namespace assay::cocolm
