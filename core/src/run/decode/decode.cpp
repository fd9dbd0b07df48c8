#include "run/decode/decode.h"

#include <c10/core/GradMode.h>

#include "run/decode/session.h"

namespace assay::run {

std::vector<Prompt> encoded(const Tokenizer& tokenizer, const std::vector<std::string>& texts) {
  std::vector<Prompt> prompts;
  for (const auto& text : texts)
    prompts.push_back({guard(tokenizer, "encode", [&] { return tokenizer.encode(text); }), {}});
  return prompts;
}

std::vector<Continuation> decode(Assembled& run, const Mesh& mesh, Decoder& decoder, const DecodeRequest& request,
                                 PrefixCache* prefix_cache) {
  const c10::NoGradGuard no_grad;
  if (!run.model->causal()) throw UserError("generating text needs a causal model, but this model is bidirectional");
  if (request.prompts.empty()) return {};
  Session session(run, mesh, decoder, request, prefix_cache);
  while (!session.done()) guard(decoder, "next", [&] { session.take(decoder.next(session)); });
  if (prefix_cache) session.remember(*prefix_cache);
  return session.results();
}

}  // namespace assay::run
