// Decoders: the same text for the same seed, with tokens of the vocabulary, for prompts of several lengths in one
// batch.
#include "assay/decoder.h"

#include "check/subject.h"
#include "check/tiny_run.h"
#include "run/decode/decode.h"

namespace assay::check {
namespace {

std::string decoded(const Subject& subject, int tensor, uint64_t seed) {
  TinyRun tiny(subject);
  tiny.mesh(tensor, 1);
  std::string text;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    const Instance<Decoder> decoder(subject);
    for (auto* component : decoder.all()) component->bind(*run.vocabulary);
    run::DecodeRequest request;
    request.prompts = run::encoded(*run.tokenizer, {"", "ab ab", "a longer prompt"});
    request.tokens = 12;
    request.seed = seed;
    const auto continuations = run::decode(run, mesh, *decoder, request);  // throws for ids outside the vocabulary
    if (!mesh.first()) return;
    for (const auto& one : continuations) {
      for (const auto id : one.ids) text += std::to_string(id) + " ";
      text += one.ended ? "end\n" : "\n";
    }
  });
  return text;
}

}  // namespace

void decoder(const Subject& subject) {
  subject.property("the same seed gives the same text, also in two threads",
                   [&] { return repeats([&] { return decoded(subject, 1, 1); }); });
  subject.property("tensor = 1, 2, 4 choose the same tokens", [&]() -> std::string {
    for (const uint64_t seed : {1, 2, 3})
      for (const int ranks : {2, 4})
        if (decoded(subject, ranks, seed) != decoded(subject, 1, seed))
          return "seed " + std::to_string(seed) + " gives another text at tensor = " + std::to_string(ranks);
    return "";
  });
}

}  // namespace assay::check
