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
  std::vector<Prompt> prompts;  // each begins a document, after an end of text
  int64_t tokens = 100;         // maximum number of new tokens per prompt
  uint64_t seed = 1;            // for the draws of the decoder
  // For a single prompt with a single row: called with new text of the continuation as it is generated.
  std::function<void(const std::string&)> on_text = {};
};

// Keys and values from decoding one prompt. If the next prompt begins with the same tokens and segments, only the
// tokens after these are read. For a decoder that requests all hidden states, these are computed again.
struct PrefixCache {
  std::vector<int64_t> tokens, segments;  // that were read, including the leading end of text
  Cache cache;
  int64_t reused = 0, read = 0;  // tokens of the last prompt
};

}  // namespace assay::run
