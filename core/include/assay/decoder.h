// Kind "decoder": chooses the next token of each row from logits, hidden states and the cache.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/component.h"
#include "assay/model.h"
#include "assay/random.h"

namespace assay {

// One step of a batched decode. The core implements it.
class DecodeContext {
 public:
  virtual ~DecodeContext() = default;
  virtual int64_t step() const = 0;   // number of tokens generated so far
  virtual int64_t steps() const = 0;  // largest number of tokens to generate
  virtual const Vocabulary& vocabulary() const = 0;
  // Tensors are on the model's device; they are fp32 (fp64 in fp64 runs) unless stated otherwise.
  virtual Tensor logits() = 0;   // [B, V], the full vocabulary without padding; no NaN
  virtual Tensor hidden() = 0;   // [B, S, D] final hidden states of prompt and new tokens
  virtual Tensor mask() = 0;     // [B, S] bool, false: padding of a prompt, or source that only an encoder reads
  virtual Tensor tokens() = 0;   // [B, S] int64, prompt and new tokens
  virtual Tensor scores() = 0;   // [B] fp64, sum of ln p of the tokens chosen so far
  virtual Tensor ended() = 0;    // [B] bool: the row has chosen its end of text; further choices for it are ignored
  virtual Tensor lengths() = 0;  // [B] int64, number of new tokens, including the end of text
  virtual Tensor prompts() = 0;  // [B] int64, index of the prompt that a row continues
  // The draws of a row. They are keyed by its prompt's stream or else by the prompt and the number of equal prompts
  // before it, so a prompt draws the same alone as in any batch. Rows of one prompt share their draws.
  virtual Draws draws(int64_t row) const = 0;
  // The final hidden states [B, K, D] that K candidates per row would have, each after the row's own tokens. One
  // batched forward; nothing is committed. When every row then continues with one of its candidates, this forward is
  // reused. candidates_BK [B, K] int64. Throws UserError when a candidate is not in the vocabulary. See
  // Decoder::lookahead.
  virtual Tensor try_tokens(const Tensor& candidates_BK) = 0;
};

// The tensors are on the CPU or on the model's device.
struct Choice {
  Tensor tokens;   // [B'] int64, ids of the vocabulary
  Tensor parents;  // [B'] int64: the row that each continues (beam search); undefined: row i continues row i
};

// When several rows continue one prompt, the first of them at the end is its continuation.
class Decoder : public Component {
 public:
  ASSAY_KIND(Decoder, "decoder", ASSAY_KIND_HASH_DECODER);
  virtual Choice next(DecodeContext& context) = 0;
  // The number of positions beyond the last token read that the decoder needs from the model: 1 for a decoder that
  // tries candidates.
  virtual int64_t lookahead() const { return 0; }
};

// A text to continue.
struct Prompt {
  std::vector<int32_t> tokens;   // without the end of text before them
  std::vector<int32_t> segment;  // of each token, see Batch::segment; new tokens get the last one's; empty: all 0
  // Of each token, rising from 1 or more, for the end of text before them has position 0; new tokens continue from the
  // last one. A gap is where a token was left out that would be between them. Empty: 1, 2, 3, ..
  std::vector<int64_t> positions = {};
  // The key of its draws; nullopt: its tokens, and how many equal prompts are before it.
  std::optional<uint64_t> stream = {};
};

struct Continuation {
  std::vector<int64_t> ids;  // the new tokens without the end of text
  std::string text;          // decoded from ids
  double log_prob = 0;       // sum of ln p of the new tokens and the end of text
  bool ended = false;        // the model chose an end of text
};

}  // namespace assay
