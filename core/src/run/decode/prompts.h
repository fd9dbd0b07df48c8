// Prompts as a model reads them, in one batch.
#pragma once

#include <cstdint>
#include <vector>

#include "assay/decoder.h"
#include "run/assemble.h"

namespace assay::run {

// B prompts, each after an end of text and padded on the left to the longest, S tokens, so that every row's next token
// comes at the same place. On the model's device.
struct PromptBatch {
  Tensor tokens_BS;     // int64
  Tensor mask_BS;       // bool, false where a prompt is padded
  Tensor segments_BS;   // int64; undefined where no prompt has segments
  Tensor positions_BS;  // int64; undefined where no prompt has positions
  bool padded = false;
  // bool [B, S]: what the decoder attends to. Without an encoder it is mask_BS; else it is false for the source, except
  // its last token, from which the decoder starts.
  Tensor seen_BS;
};

// steps: new tokens requested. lookahead: Decoder::lookahead. UserError when they and the longest prompt are
// beyond the model's limit, a prompt does not have one segment or position per token, or its positions do not rise.
PromptBatch batch_of(const std::vector<Prompt>& prompts, const Assembled& run, int64_t steps, int64_t lookahead);

// One for each prompt, keyed by its stream, or by what it is and by how many equal ones are before it.
std::vector<Draws> draws_of(const std::vector<Prompt>& prompts, uint64_t seed);

}  // namespace assay::run
