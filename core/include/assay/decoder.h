// Kind "decoder": chooses the next token of each row from logits, hidden states and the cache.
#pragma once

#include <cstdint>

#include "assay/component.h"
#include "assay/model.h"
#include "assay/random.h"

namespace assay {

// One step of a batched decode. Implemented by the core.
class DecodeContext {
 public:
  virtual ~DecodeContext() = default;
  virtual int64_t step() const = 0;  // tokens generated so far
  virtual const Vocabulary& vocabulary() const = 0;
  virtual Tensor logits() = 0;      // [B, V] whole, real vocabulary, fp32
  virtual Tensor hidden() = 0;      // [B, S, D] final states of everything so far, prompt included
  virtual Tensor mask() = 0;        // [B, S] bool, false where a prompt was padded
  virtual Tensor tokens() = 0;      // [B, S] int64 so far
  virtual Tensor scores() = 0;      // [B] sum of ln p of the tokens chosen so far
  virtual Draws draws() const = 0;  // of this decode; substream(row) for a row's own
  // One batched forward of K candidates a row on a shared prefix; nothing is committed.
  struct Trial {
    Tensor logits_BKV;
    Tensor hidden_BKD;
  };
  virtual Trial try_tokens(const Tensor& candidates_BK) = 0;
};

// On the CPU or on the model's device.
struct Choice {
  Tensor tokens;   // [B'] int64, never outside the vocabulary
  Tensor parents;  // [B'] int64: which row each goes on from (beam search); undefined: row by row
};

class Decoder : public Component {
 public:
  ASSAY_KIND(Decoder, "decoder", ASSAY_KIND_HASH_DECODER);
  virtual Choice next(DecodeContext& context) = 0;
};

}  // namespace assay
