// Kind "defense": how a dialogue model replies to what may be an attack.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/dialogue.h"
#include "assay/scorer.h"

namespace assay {

// A conversation whose last turn is to be replied to.
struct Attacked {
  Conversation conversation;
  // The true trigger within the last turn. Only a defense that needs the oracle gets it.
  std::optional<Span> trigger = {};
};

struct Response {
  std::vector<int32_t> tokens;         // the reply, without an end of text
  std::vector<int64_t> masked{};       // tokens of the last turn that were masked, by place in it
  int64_t regenerations = 0;           // replies after the first one
  int64_t forward_tokens = 0;          // tokens that the model read for the defense, beyond those of the first reply
  std::vector<int32_t> first_reply{};  // before the defense did anything
  int64_t blamed = -1;                 // token of first_reply that level 1 found; -1: none was looked for or found
  std::string reason{};                // of anything unusual, such as "no alignment"
};

class Defense : public Component {
 public:
  ASSAY_KIND(Defense, "defense", ASSAY_KIND_HASH_DEFENSE);
  // true: it is told where the trigger is, and tables say so.
  virtual bool needs_oracle() const { return false; }
  virtual std::vector<Response> respond(Speaker& speaker, const std::vector<Attacked>& attacked) = 0;
  // Whose scores decide whether a reply is toxic; null: none do.
  virtual Scorer* scorer() const { return nullptr; }
};

}  // namespace assay
