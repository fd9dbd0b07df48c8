// Text from a trained model: prompts in, one batch, a cache, a decoder that chooses every next token.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "assay/decoder.h"
#include "run/assemble.h"

namespace assay::run {

struct DecodeRequest {
  std::vector<Prompt> prompts;  // each begins a document: end of text goes before it
  int64_t tokens = 100;         // at most so many new ones a prompt
  uint64_t seed = 1;            // of the decoder's draws
  // Of a single prompt whose decoder keeps to one row: told what is new of the continuation's text, as it comes.
  std::function<void(const std::string&)> on_text = {};
};

std::vector<Prompt> encoded(const Tokenizer& tokenizer, const std::vector<std::string>& texts);

// Keys and values that decoding one prompt left behind. The next prompt that begins with the same tokens and segments
// reads only what comes after these; a decoder that asks for the states of everything has them computed anew.
struct DecodeMemory {
  std::vector<int64_t> tokens, segments;  // that were read, the end of text before them included
  Cache cache;
  int64_t reused = 0, read = 0;  // of the last prompt's tokens
};

// One a prompt; where the decoder has several rows of a prompt, the first of them.
// Every tensor rank calls it and gets the same; memory is this rank's, and is used where there is one prompt. UserError
// for a bidirectional model and for what would go beyond the model's limit, PluginError when the decoder chooses what
// is not in the vocabulary.
std::vector<Continuation> decode(Assembled& run, const Mesh& mesh, Decoder& decoder, const DecodeRequest& request,
                                 DecodeMemory* memory = nullptr);

}  // namespace assay::run
