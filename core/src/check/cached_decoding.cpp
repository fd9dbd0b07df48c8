// Cached decoding, a contract of models and of positional schemes; schemes are checked in the attention of the stand-in
// model.
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <c10/core/GradMode.h>

#include "check/subject.h"
#include "check/tiny_run.h"

namespace assay::check {
namespace {

// The batch with the first tokens of all rows as their source, which an encoder reads before anything else.
Batch with_source(const run::Assembled& run, Batch batch, int64_t tokens) {
  if (run.model->has_encoder()) batch.source_length = at::full({batch.rows()}, tokens, at::kLong);
  return batch;
}

// Extends the cache by one token per call, and by chunks of several tokens.
std::string cached(run::Assembled& run, const Batch& batch) {
  if (!run.model->causal()) return "";
  const c10::NoGradGuard no_grad;
  const int64_t length = batch.length(), half = length / 2;
  std::vector<std::vector<int64_t>> divisions{std::vector<int64_t>(static_cast<size_t>(length), 1)};
  if (half > 1) divisions.push_back({half - 1, 1, length - half});
  for (const auto& chunks : divisions) {
    const auto full = run.model->forward(with_source(run, batch, chunks[0]), {}).final_BTD;
    Cache cache;
    std::vector<Tensor> parts;
    int64_t done = 0;
    for (const auto count : chunks) {
      parts.push_back(run.model->extend(cache, batch.tokens.narrow(1, done, count), {}).final_BTD);
      done += count;
    }
    auto wrong = difference("hidden states by extend", at::cat(parts, 1), full, 1e-10);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

// Candidates for the next token in one call: each must give the result that it gives alone.
std::string alternatives(run::Assembled& run, const Batch& batch) {
  constexpr int64_t kCandidates = 3;
  if (!run.model->causal() || batch.length() <= kCandidates) return "";
  const c10::NoGradGuard no_grad;
  const int64_t past = std::max<int64_t>(1, batch.length() - kCandidates - 1);
  Cache cache;
  run.model->extend(cache, batch.tokens.narrow(1, 0, past), {});
  cache.alternatives = true;
  const auto candidates = batch.tokens.narrow(1, past, kCandidates);
  const auto found = run.model->extend(cache, candidates, {}).final_BTD;
  for (int64_t i = 0; i < kCandidates; ++i) {
    Batch one;
    one.tokens = at::cat({batch.tokens.narrow(1, 0, past), candidates.narrow(1, i, 1)}, 1);
    auto wrong = difference("hidden states of alternative " + std::to_string(i), found.select(1, i),
                            run.model->forward(with_source(run, one, past), {}).final_BTD.select(1, past), 1e-10);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace

void cached_decoding(const Subject& subject) {
  subject.property("cached decoding equals the full forward pass", [&] { return on_one_rank(subject, cached); });
  subject.property("alternatives in a cache do not attend to one another",
                   [&] { return on_one_rank(subject, alternatives); });
}

}  // namespace assay::check
