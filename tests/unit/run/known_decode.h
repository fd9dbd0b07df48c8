// Decoders on a model of six tokens, of which the last is the end of text; its logits depend on the last token alone.
#pragma once

#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>

#include <string>
#include <vector>

#include "known_model.h"
#include "run/decode/decode.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {

using Ids = std::vector<int64_t>;
using Prompts = std::vector<std::vector<int32_t>>;

// A run whose model is replaced by one of six tokens, of which the last is the end of text.
template <class Body>
void with_known_model(uint64_t seed, const Body& body) {
  TinyRun tiny;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    const auto states = normal_numbers({6, 3}, seed), head = 1.5 * normal_numbers({3, 6}, seed + 1000);
    KnownModel model(states, head);
    model.take_over(run);
    body(run, mesh, model, at::log_softmax(at::matmul(states, head), -1), states);
  });
}

inline std::vector<Continuation> with_prompts(const std::string& decoder, const json& parameters, run::Assembled& run,
                                              const Mesh& mesh, const std::vector<Prompt>& prompts, int64_t tokens) {
  return run::decode(run, mesh, *make<Decoder>(decoder, parameters), {prompts, tokens, 1});
}
inline std::vector<Continuation> with(const std::string& decoder, const json& parameters, run::Assembled& run,
                                      const Mesh& mesh, const Prompts& ids, int64_t tokens) {
  std::vector<Prompt> prompts;
  for (const auto& one : ids) prompts.push_back({one, {}});
  return with_prompts(decoder, parameters, run, mesh, prompts, tokens);
}

}  // namespace assay::testing
