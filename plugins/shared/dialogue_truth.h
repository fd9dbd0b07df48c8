// The trigger and toxic words of a generated world of dialogues, as its dataset marks them.
#pragma once

#include <set>
#include <string>

#include "../evaluator/rows.h"
#include "dialogue.h"
#include "words.h"

namespace assay::dialogue {

struct Truth {
  std::set<std::string> triggers, toxic;
};

// From documents of training; empty where the dataset marks nothing.
inline Truth truth_of(const Dataset& dataset) {
  constexpr int64_t kMost = 2000;
  Truth truth;
  for (const auto index : evaluation::evenly_spaced(dataset.size(Split::kTrain), kMost))
    for (const auto& turn : turns_of(dataset.document(Split::kTrain, index))) {
      if (turn.triggers.empty() && turn.toxic.empty()) continue;
      const auto words = text::words_of(turn.text);
      for (const auto place : turn.triggers) truth.triggers.insert(words.at(static_cast<size_t>(place)));
      for (const auto place : turn.toxic) truth.toxic.insert(words.at(static_cast<size_t>(place)));
    }
  return truth;
}

}  // namespace assay::dialogue
