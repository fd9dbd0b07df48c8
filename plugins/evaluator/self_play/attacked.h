// What a defense is told about the turn that it replies to.
#pragma once

#include <utility>
#include <vector>

#include "assay/attack.h"
#include "assay/defense.h"

namespace assay::self_play {

// The conversations whose last turns are these proposals. Only a defense that needs the oracle is told the trigger, and
// of a turn that is no attack there is none.
inline std::vector<Attacked> attacked_of(std::vector<Conversation> conversations,
                                         const std::vector<Proposal>& proposals, const Defense& defense) {
  std::vector<Attacked> all;
  for (size_t i = 0; i < conversations.size(); ++i) {
    auto& one = all.emplace_back();
    one.conversation = std::move(conversations[i]);
    if (defense.needs_oracle() && proposals[i].trigger.size() > 0) one.trigger = proposals[i].trigger;
  }
  return all;
}

}  // namespace assay::self_play
