// The pairs of rows that one claim speaks of, each tested alone.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "compare/claims.h"
#include "compare/tune.h"

namespace assay {

struct ClaimSample {
  std::vector<ClaimPair> pairs;                           // of a claim about the mean: one
  std::vector<std::string> remarks;                       // what was left out or could not be found
  std::map<Presence, std::set<const RunResult*>> absent;  // planned runs without a value: they keep the claim open
  bool trials_undecided = false;  // so does a trial that has not ended, among those that one is chosen of
  bool is_open() const { return pairs.empty() || !absent.empty() || trials_undecided; }
};

// `level`: what undecided pairs' needed seeds are reckoned with.
ClaimSample sample_of(const config::Claim& claim, const Results& results, const std::vector<Group>& groups,
                      const config::Partners& partners, const config::CompareSettings& settings, double level);

}  // namespace assay
