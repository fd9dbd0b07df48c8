// Tokens that a decoder must not choose, before anything else looks at the logits: those that would repeat an n-gram
// (Paulus, Xiong, Socher 2018, arXiv:1705.04304, sec. 2.5), and the end of text before a minimum of new tokens. As in
// Hugging Face transformers, the n-grams are those of prompt and continuation together; what only an encoder reads is
// not among them. Nor is the first token that the model reads: the end of text before a prompt or, with an encoder, the
// last token of the source, which transformers counts as the decoder's start.
#pragma once

#include <ATen/ops/amax.h>
#include <ATen/ops/index_fill.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "assay/decoder.h"

namespace assay::decoding {

inline constexpr double kBanned = -std::numeric_limits<double>::infinity();

// Adds the two parameters to a decoder's schema; its Config has members of these names.
template <class Config>
void describe_bans(auto& schema) {
  schema
      .param("no_repeat_ngram", &Config::no_repeat_ngram,
             "No n-gram of this many tokens may occur twice in prompt and continuation; 0: any may.", 0)
      .added()
      .param("min_tokens", &Config::min_tokens, "Number of new tokens before the end of text may be chosen.", 0)
      .added();
}

// The ids that would complete an n-gram that is among `ids` already.
inline std::vector<int64_t> repeating(const std::vector<int64_t>& ids, int64_t n) {
  std::vector<int64_t> banned;
  const auto size = static_cast<int64_t>(ids.size());
  if (n < 1 || size + 1 < n) return banned;
  const auto last = ids.end() - (n - 1);
  for (int64_t begin = 0; begin + n <= size; ++begin)
    if (std::equal(last, ids.end(), ids.begin() + begin)) banned.push_back(ids[static_cast<size_t>(begin + n - 1)]);
  return banned;
}

// The logits [B, V], or `scores` in their place, with -inf for every banned token; unchanged where nothing is banned.
// Rows that have ended keep theirs. UserError when a row has no token left.
inline Tensor allowed(DecodeContext& context, const Tensor& scores_BV, int64_t no_repeat_ngram, int64_t min_tokens) {
  const bool too_short = context.step() < min_tokens;
  if (no_repeat_ngram == 0 && !too_short) return scores_BV;
  auto out = scores_BV.clone();
  if (too_short) out.select(1, context.vocabulary().special(kEndOfText)).fill_(kBanned);
  if (no_repeat_ngram == 0) return out;
  const auto tokens_BS = context.tokens().to(at::kCPU).contiguous(), mask_BS = context.mask().to(at::kCPU).contiguous();
  const auto ended_B = context.ended().to(at::kCPU).contiguous();
  const int64_t B = tokens_BS.size(0), S = tokens_BS.size(1);
  for (int64_t row = 0; row < B; ++row) {
    if (ended_B.const_data_ptr<bool>()[row]) continue;
    std::vector<int64_t> ids;
    for (int64_t i = row * S; i < (row + 1) * S; ++i)
      if (mask_BS.const_data_ptr<bool>()[i]) ids.push_back(tokens_BS.const_data_ptr<int64_t>()[i]);
    if (!ids.empty()) ids.erase(ids.begin());  // what precedes the text
    const auto banned = repeating(ids, no_repeat_ngram);
    if (banned.empty()) continue;
    out.select(0, row).index_fill_(0, at::tensor(banned, at::kLong).to(out.device()), kBanned);
  }
  if ((at::amax(out, -1).eq(kBanned) & ~context.ended()).any().item<bool>())
    throw UserError(
        "every token would repeat an n-gram or end the text too early; lower no_repeat_ngram or min_tokens");
  return out;
}

}  // namespace assay::decoding
