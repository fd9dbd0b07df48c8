// Kind "transform": changes training data, never evaluation's. A pure function of the sample and its draws, so the
// result does not depend on workers, mesh or resuming. The tokenizer is at hand through bind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/batch.h"
#include "assay/component.h"
#include "assay/random.h"

namespace assay {

enum class Stage {
  kDocument,  // sample.text, before tokenising; may also replace it by tokens (with special ids)
  kTokens,    // sample.tokens of a whole document, before packing
  kContext,   // sample.tokens of one context: T + 1 in, T + 1 out
};

struct Sample {
  std::string id;                  // the document's, empty at stage context
  std::string text;                // stage document
  std::vector<int32_t> tokens;     // stages tokens and context; at stage document, when not empty, used instead of text
  std::vector<float> loss_weight;  // of each token as a target; empty: all 1. What has 0 keeps it, wherever it is put
  std::vector<int32_t> segment;    // segment_of each token; empty: all 0. Before packing, the document is 0
  // Stage context alone: false where a token is padding, which is never attended to, is never a target and takes no
  // position; empty: all true. What reads a batch finds it there.
  std::vector<bool> key_mask = {};
};

class Transform : public Component {
 public:
  ASSAY_KIND(Transform, "transform", ASSAY_KIND_HASH_TRANSFORM);
  virtual Stage stage() const = 0;
  // True: whatever it does to the order, every byte of a text is there as often as before. The conformance kit checks
  // it.
  virtual bool keeps_text() const { return false; }
  // Name of a parameter in [0, 1] that is the share of samples that are changed; empty: none is. Checked likewise.
  virtual const char* rate_parameter() const { return ""; }
  // Draws are those of (seed, epoch, this instance, sample).
  virtual void apply(Sample& sample, const Draws& draws) const = 0;
  // Every context that is trained on, as it came out of all transforms: what log is told here lands in events and
  // record.
  virtual void observe(const Sample& /*context*/) const {}
  // The tokens and segments, without the end of text before them (document 0), that ask for what stands between the
  // two, laid out as the training data was; nothing where the transform teaches nothing of the kind. `form` names one
  // of several layouts, empty: the usual one. UserError for a form it does not have.
  virtual std::optional<Sample> infill_prompt(const std::string& /*prefix*/, const std::string& /*suffix*/,
                                              const std::string& /*form*/) const {
    return std::nullopt;
  }
};

}  // namespace assay
