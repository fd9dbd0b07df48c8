#include "run/decode/prompts.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <string_view>

#include "base/text.h"

namespace assay::run {
namespace {

void check(const Prompt& prompt) {
  const auto fits = [&](const auto& values, const char* what) {
    if (!values.empty() && values.size() != prompt.tokens.size())
      throw UserError("a prompt of " + std::to_string(prompt.tokens.size()) + " tokens must have as many " + what +
                      ", not " + std::to_string(values.size()));
  };
  fits(prompt.segment, "segments");
  fits(prompt.positions, "positions");
  for (size_t i = 0; i < prompt.positions.size(); ++i)
    if (prompt.positions[i] <= (i > 0 ? prompt.positions[i - 1] : 0))
      throw UserError("the positions of a prompt must rise from 1 or more, and its position " + std::to_string(i) +
                      " is " + std::to_string(prompt.positions[i]));
}

}  // namespace

PromptBatch batch_of(const std::vector<Prompt>& prompts, const Assembled& run, int64_t steps, int64_t lookahead) {
  size_t longest = 0;
  int64_t farthest = 0;  // position of the last token of a prompt
  bool parts = false, placed = false;
  for (const auto& prompt : prompts) {
    longest = std::max(longest, prompt.tokens.size() + 1);
    parts = parts || !prompt.segment.empty();
    placed = placed || !prompt.positions.empty();
    farthest = std::max(
        farthest, prompt.positions.empty() ? static_cast<int64_t>(prompt.tokens.size()) : prompt.positions.back());
    check(prompt);
  }
  const auto B = static_cast<int64_t>(prompts.size()), S = static_cast<int64_t>(longest);
  const auto limit = guard(*run.model, "limit", [&] { return run.model->limit(); });
  if (limit && steps > *limit - farthest - lookahead)  // the last new one is chosen and not read
    throw UserError("an end of text, a prompt of " + base::plural(farthest, "token") + " and a continuation of " +
                    base::plural(steps, "token") + (lookahead > 0 ? " with candidates" : "") +
                    " exceed the model's limit of " + std::to_string(*limit) +
                    " positions; shorten the prompt or request fewer tokens");
  PromptBatch batch;
  batch.tokens_BS = at::full({B, S}, run.vocabulary->special(kEndOfText), at::TensorOptions().dtype(at::kLong));
  batch.mask_BS = at::zeros({B, S}, at::TensorOptions().dtype(at::kBool));
  if (parts) batch.segments_BS = at::zeros({B, S}, batch.tokens_BS.options());
  if (placed) batch.positions_BS = at::zeros({B, S}, batch.tokens_BS.options());
  for (int64_t b = 0; b < B; ++b) {
    const auto& [tokens, segment, positions, stream] = prompts[static_cast<size_t>(b)];
    const auto begin = S - static_cast<int64_t>(tokens.size());
    std::copy(tokens.begin(), tokens.end(), batch.tokens_BS.data_ptr<int64_t>() + b * S + begin);
    if (parts) std::copy(segment.begin(), segment.end(), batch.segments_BS.data_ptr<int64_t>() + b * S + begin);
    if (placed) {
      auto* place = batch.positions_BS.data_ptr<int64_t>() + b * S + begin;
      if (positions.empty())
        std::iota(place, place + tokens.size(), int64_t{1});
      else
        std::copy(positions.begin(), positions.end(), place);
    }
    batch.mask_BS.select(0, b).narrow(0, begin - 1, S - begin + 1).fill_(true);
    batch.padded = batch.padded || begin > 1;
  }
  batch.tokens_BS = batch.tokens_BS.to(run.compute.device);
  if (parts) batch.segments_BS = batch.segments_BS.to(run.compute.device);
  if (placed) batch.positions_BS = batch.positions_BS.to(run.compute.device);
  batch.mask_BS = batch.mask_BS.to(run.compute.device);
  batch.seen_BS = batch.mask_BS;
  if (guard(*run.model, "has_encoder", [&] { return run.model->has_encoder(); })) {
    if (placed) throw UserError("prompts with positions need a model without an encoder");
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
    if (prompt.stream) {
      draws.push_back(all.substream(stream_key(0, "stream")).substream(*prompt.stream));
      continue;
    }
    auto key = prompt.tokens;
    key.insert(key.end(), prompt.segment.begin(), prompt.segment.end());
    const std::string_view bytes(reinterpret_cast<const char*>(key.data()), key.size() * sizeof key[0]);
    draws.push_back(all.substream(stream_key(0, bytes)).substream(seen[key]++));
  }
  return draws;
}

}  // namespace assay::run
