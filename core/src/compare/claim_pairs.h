// The pairs of rows that one claim speaks of, each tested alone.
#pragma once

#include <vector>

#include "compare/claims.h"
#include "compare/tune.h"

namespace assay {

struct ClaimSample {
  std::vector<ClaimPair> pairs;      // of a claim about the mean: one
  std::vector<std::string> remarks;  // what was left out or could not be found
  bool diverged_undecided = false;   // a diverged run keeps the claim from being decided
  bool trials_undecided = false;     // so does a trial that has not ended, among those that one is chosen of
  bool is_open() const { return pairs.empty() || diverged_undecided || trials_undecided; }
};

// `level`: what undecided pairs' needed seeds are reckoned with.
ClaimSample sample_of(const config::Claim& claim, const Results& results, const std::vector<Group>& groups,
                      const config::Partners& partners, const config::CompareSettings& settings, double level);

}  // namespace assay
