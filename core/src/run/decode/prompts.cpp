#include "run/decode/prompts.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "base/text.h"

namespace assay::run {

PromptBatch batch_of(const std::vector<Prompt>& prompts, const Assembled& run, int64_t steps, int64_t lookahead) {
  size_t longest = 0;
  bool parts = false;
  for (const auto& [tokens, segment] : prompts) {
    longest = std::max(longest, tokens.size() + 1);
    parts = parts || !segment.empty();
    if (!segment.empty() && segment.size() != tokens.size())
      throw UserError("a prompt of " + std::to_string(tokens.size()) + " tokens must have as many segments, not " +
                      std::to_string(segment.size()));
  }
  const auto B = static_cast<int64_t>(prompts.size()), S = static_cast<int64_t>(longest);
  const auto limit = guard(*run.model, "limit", [&] { return run.model->limit(); });
  if (limit && steps > *limit - S + 1 - lookahead)  // the last new one is chosen and not read
    throw UserError("an end of text, a prompt of " + base::plural(S - 1, "token") + " and a continuation of " +
                    base::plural(steps, "token") + (lookahead > 0 ? " with candidates" : "") +
                    " exceed the model's limit of " + std::to_string(*limit) +
                    " positions; shorten the prompt or request fewer tokens");
  PromptBatch batch;
  batch.tokens_BS = at::full({B, S}, run.vocabulary->special(kEndOfText), at::TensorOptions().dtype(at::kLong));
  batch.mask_BS = at::zeros({B, S}, at::TensorOptions().dtype(at::kBool));
  if (parts) batch.segments_BS = at::zeros({B, S}, batch.tokens_BS.options());
  for (int64_t b = 0; b < B; ++b) {
    const auto& [tokens, segment] = prompts[static_cast<size_t>(b)];
    const auto begin = S - static_cast<int64_t>(tokens.size());
    std::copy(tokens.begin(), tokens.end(), batch.tokens_BS.data_ptr<int64_t>() + b * S + begin);
    if (parts) std::copy(segment.begin(), segment.end(), batch.segments_BS.data_ptr<int64_t>() + b * S + begin);
    batch.mask_BS.select(0, b).narrow(0, begin - 1, S - begin + 1).fill_(true);
    batch.padded = batch.padded || begin > 1;
  }
  batch.tokens_BS = batch.tokens_BS.to(run.compute.device);
  if (parts) batch.segments_BS = batch.segments_BS.to(run.compute.device);
  batch.mask_BS = batch.mask_BS.to(run.compute.device);
  batch.seen_BS = batch.mask_BS;
  if (guard(*run.model, "has_encoder", [&] { return run.model->has_encoder(); })) {
    batch.seen_BS = at::zeros_like(batch.mask_BS);
    batch.seen_BS.select(1, S - 1).fill_(true);
  }
  return batch;
}

std::vector<Draws> draws_of(const std::vector<Prompt>& prompts, uint64_t seed) {
  const Draws all(seed, "decode");
  std::map<std::vector<int32_t>, uint64_t> seen;
  std::vector<Draws> draws;
  for (const auto& prompt : prompts) {
    auto key = prompt.tokens;
    key.insert(key.end(), prompt.segment.begin(), prompt.segment.end());
    const std::string_view bytes(reinterpret_cast<const char*>(key.data()), key.size() * sizeof key[0]);
    draws.push_back(all.substream(stream_key(0, bytes)).substream(seen[key]++));
  }
  return draws;
}

}  // namespace assay::run
