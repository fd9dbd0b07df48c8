// Kind "attack": what an adversary says, in a conversation with a dialogue model whose weights it knows, to provoke a
// reply.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "assay/dialogue.h"
#include "assay/scorer.h"

namespace assay {

struct Candidate {
  std::vector<int32_t> tokens;
  double score = 0;  // as the attack's scorer gives it
};

struct Proposal {
  std::vector<int32_t> tokens;          // the utterance, without an end of text; without special tokens
  Span trigger;                         // the part of it that is to provoke
  std::vector<Candidate> candidates{};  // among which it was selected
  bool fell_back = false;               // no candidate met the condition
  std::string reason{};                 // of anything unusual, such as "no candidate"
};

class Attack : public Component {
 public:
  ASSAY_KIND(Attack, "attack", ASSAY_KIND_HASH_ATTACK);
  // false: the adversary says what the model says, and propose is never called.
  virtual bool attacks() const { return true; }
  // Called once per evaluation, before any conversation: what does not depend on them, such as a universal trigger.
  virtual void prepare(Speaker& /*speaker*/) {}
  // One utterance per conversation, to be said next in it.
  virtual std::vector<Proposal> propose(Speaker& speaker, const std::vector<Conversation>& conversations) = 0;
  // By whose scores it selects; null: by none.
  virtual Scorer* scorer() const { return nullptr; }
};

}  // namespace assay
