// Text from a trained model: prompts in, one batch, a cache, a decoder that chooses every next token.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "assay/decoder.h"
#include "run/assemble.h"

namespace assay {

struct DecodeRequest {
  std::vector<std::string> prompts;  // each begins a document: end of text goes before it
  int64_t tokens = 100;              // at most so many new ones a prompt
  uint64_t seed = 1;                 // of the decoder's draws; row r's are substream r
};

struct Decoded {
  std::vector<int64_t> ids;  // new tokens, without the end of text
  std::string text;          // of these
  double log_prob = 0;       // sum of ln p over them and the end of text
  bool ended = false;        // with an end of text
};

// One a prompt; where the decoder has several rows of a prompt, the first of them.
// Every tensor rank calls it and gets the same. UserError for a bidirectional model and for what would go beyond the
// model's limit, PluginError when the decoder chooses what is not in the vocabulary.
std::vector<Decoded> decode(Assembled& run, const Mesh& mesh, Decoder& decoder, const DecodeRequest& request);

}  // namespace assay
