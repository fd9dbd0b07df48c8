// Kind "transform": changes training data, and evaluation data only where an evaluator names one. A pure function of
// the sample and its draws, so the result does not depend on workers, mesh or resuming. bind gives access to the
// tokenizer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "assay/batch.h"
#include "assay/component.h"
#include "assay/dataset.h"
#include "assay/random.h"

namespace assay {

enum class Stage {
  kDocument,  // sample.text, before tokenising; may also replace it by tokens, special ids included
  kTokens,    // sample.tokens of a document, before packing
  kContext,   // sample.tokens of one sequence: T + 1 in, T + 1 out
  // A document with its fields to sequences, which are padded to T + 1 tokens and never packed; see sequences. No
  // transform of an earlier stage can be beside it.
  kSequences,
};

struct Sample {
  std::string id;               // id of the document; empty at stage kContext
  std::string text;             // stage kDocument
  std::vector<int32_t> tokens;  // stages kTokens and kContext; at stage kDocument, if not empty, used instead of text
  std::vector<float> loss_weight;  // of each token as a target; empty: all 1. A token with weight 0 keeps it when moved
  std::vector<int32_t> segment;    // segment_of each token; empty: all 0. Before packing, the document is 0
  // Only at stage kContext. false: the token is padding, which is never attended to, is never a target and has no
  // position. Empty: all true. It becomes Batch::key_mask.
  std::vector<bool> key_mask = {};
  // Set at stage kSequences; kContext and observe see them, with the end of text before the sequence in `source`.
  int64_t source = 0;                                       // number of first tokens that are the source of the rest
  std::string view = {};                                    // name of the kind of sequence, one of Transform::views
  std::map<std::string, std::vector<float>> channels = {};  // the sequence's row of Batch::channels, [B, size]
};

class Transform : public Component {
 public:
  ASSAY_KIND(Transform, "transform", ASSAY_KIND_HASH_TRANSFORM);
  virtual Stage stage() const = 0;
  // true: the transform may reorder a text, but every byte occurs as often as before. The conformance kit checks it.
  virtual bool keeps_text() const { return false; }
  // The name of the parameter in [0, 1] that is the share of samples to change; empty: there is none. The conformance
  // kit checks it.
  virtual const char* rate_parameter() const { return ""; }
  // The draws are keyed by (seed, epoch, this instance, sample). Every stage but kSequences must implement it.
  virtual void apply(Sample& /*sample*/, const Draws& /*draws*/) const {
    throw UserError("the transform does not implement apply, which its stage calls");
  }
  // Stage kSequences: the sequences of a document, each without the end of text before it, which the core adds; with it
  // a sequence has at most T tokens. All sequences have the same channels, of equal sizes.
  virtual std::vector<Sample> sequences(const Document& /*document*/, const Draws& /*draws*/) const { return {}; }
  // Stage kSequences: every value of Sample::view.
  virtual std::vector<std::string> views() const { return {}; }
  // Stage kSequences: the names of the labels in the channel "label" (see Objective::class_scores), in their order;
  // empty: the rows have no labels, or labels without names.
  virtual std::vector<std::string> classes() const { return {}; }
  // Short documents with the fields that it reads, for the conformance kit; empty: it accepts any document.
  virtual std::vector<Document> examples() const { return {}; }
  // Called with every training sequence after all transforms. Metrics that it logs are in events and record.
  virtual void observe(const Sample& /*context*/) const {}
  // The infilling prompt for the text between prefix and suffix, in the layout of the training data: tokens and
  // segments (document 0), without the end of text before them. nullopt: the transform does not train infilling. `form`
  // names one of several layouts; empty: the default. UserError for an unknown form.
  virtual std::optional<Sample> infill_prompt(const std::string& /*prefix*/, const std::string& /*suffix*/,
                                              const std::string& /*form*/) const {
    return std::nullopt;
  }
};

}  // namespace assay
