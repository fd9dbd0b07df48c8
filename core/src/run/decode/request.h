// What a decode is given.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "assay/decoder.h"
#include "assay/model.h"

namespace assay::run {

struct DecodeRequest {
  std::vector<Prompt> prompts;  // each begins a document: end of text goes before it
  int64_t tokens = 100;         // at most so many new ones a prompt
  uint64_t seed = 1;            // of the decoder's draws
  // Of a single prompt whose decoder keeps to one row: told what is new of the continuation's text, as it comes.
  std::function<void(const std::string&)> on_text = {};
};

// Keys and values that decoding one prompt left behind. The next prompt that begins with the same tokens and segments
// reads only what comes after these; a decoder that asks for the states of everything has them computed anew.
struct DecodeMemory {
  std::vector<int64_t> tokens, segments;  // that were read, the end of text before them included
  Cache cache;
  int64_t reused = 0, read = 0;  // of the last prompt's tokens
};

}  // namespace assay::run
