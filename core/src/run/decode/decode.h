// Text from a trained model: prompts in, one batch, a cache, a decoder that chooses every next token.
//
//   request   what is asked for, and what one call leaves for the next
//   prompts   the prompts as one padded batch, and the draws of each
//   rows      the batch as it grows: tokens, mask and segments, and for every row its prompt, score and end
//   session   the model's side: cache, states and logits, and the DecodeContext that the decoder sees
#pragma once

#include <string>
#include <vector>

#include "run/assemble.h"
#include "run/decode/request.h"

namespace assay::run {

std::vector<Prompt> encoded(const Tokenizer& tokenizer, const std::vector<std::string>& texts);

// One continuation per prompt; if the decoder has several rows for a prompt, the first of them.
// Every tensor rank calls it and gets the same; prefix_cache is this rank's, and is used where there is one prompt.
// UserError for a bidirectional model and for what would go beyond the model's limit, PluginError when the decoder
// chooses what is not in the vocabulary.
std::vector<Continuation> decode(Assembled& run, const Mesh& mesh, Decoder& decoder, const DecodeRequest& request,
                                 PrefixCache* prefix_cache = nullptr);

}  // namespace assay::run
