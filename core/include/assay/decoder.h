// Kind "decoder": chooses the next token of each row from logits, hidden states and the cache.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "assay/component.h"
#include "assay/model.h"
#include "assay/random.h"

namespace assay {

// One step of a batched decode. Implemented by the core.
class DecodeContext {
 public:
  virtual ~DecodeContext() = default;
  virtual int64_t step() const = 0;   // tokens generated so far
  virtual int64_t steps() const = 0;  // at most so many will be
  virtual const Vocabulary& vocabulary() const = 0;
  // On the model's device, fp32 (fp64 runs: fp64) where nothing else is said.
  virtual Tensor logits() = 0;   // [B, V] whole, real vocabulary; all are numbers
  virtual Tensor hidden() = 0;   // [B, S, D] final states of everything so far, prompt included
  virtual Tensor mask() = 0;     // [B, S] bool, false where a prompt was padded
  virtual Tensor tokens() = 0;   // [B, S] int64 so far
  virtual Tensor scores() = 0;   // [B] fp64 sum of ln p of the tokens chosen so far
  virtual Tensor ended() = 0;    // [B] bool: has chosen its end of text; what is chosen for it now counts for nothing
  virtual Tensor lengths() = 0;  // [B] int64 new tokens, the end of text included
  virtual Tensor prompts() = 0;  // [B] int64 number of the prompt that a row continues
  // A row's own: keyed by its prompt and how many equal ones stand before it, so that it draws alone what it draws in
  // any batch. Rows of one prompt have the same.
  virtual Draws draws(int64_t row) const = 0;
  // The final states [B, K, D] that K candidates a row would have, each after the row's own past, which they share: one
  // batched forward, and nothing is committed. When every row then goes on with one of them, it is not done again.
  // candidates [B, K] int64; UserError when one is not in the vocabulary. See Decoder::lookahead.
  virtual Tensor try_tokens(const Tensor& candidates_BK) = 0;
};

// On the CPU or on the model's device.
struct Choice {
  Tensor tokens;   // [B'] int64, never outside the vocabulary
  Tensor parents;  // [B'] int64: which row each goes on from (beam search); undefined: row by row
};

// Where several rows continue one prompt, the first of them in the end is its continuation.
class Decoder : public Component {
 public:
  ASSAY_KIND(Decoder, "decoder", ASSAY_KIND_HASH_DECODER);
  virtual Choice next(DecodeContext& context) = 0;
  // How many positions behind the last token that was read it needs of the model: 1 for one that tries candidates.
  virtual int64_t lookahead() const { return 0; }
};

// What is to be continued.
struct Prompt {
  std::vector<int32_t> tokens;   // without the end of text that goes before them
  std::vector<int32_t> segment;  // of each token, see Batch::segment; what is new has the last one's. Empty: all 0
};

struct Continuation {
  std::vector<int64_t> ids;  // new tokens, without the end of text
  std::string text;          // of these
  double log_prob = 0;       // sum of ln p over them and the end of text
  bool ended = false;        // with an end of text
};

}  // namespace assay
