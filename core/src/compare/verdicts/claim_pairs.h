// The pairs of rows that one claim speaks of, each tested alone.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compare/results/groups.h"
#include "compare/results/presence.h"
#include "compare/statistics/bootstrap.h"
#include "compare/statistics/t_test.h"
#include "compare/table/tune.h"
#include "study/compare_settings.h"
#include "study/partners.h"

namespace assay::compare {

// One pair of rows (one row against a number; the mean of several pairs).
struct ClaimPair {
  std::string left, right;  // labels of the rows; right is empty when there is none
  Count pairs{};            // of runs, one a seed; without a right side runs
  std::size_t n = 0;        // that the test takes: those with values, and those that count as worst
  bool is_complete() const { return n == static_cast<std::size_t>(pairs.planned); }
  bool is_tested = false;                      // else p is 1 both ways
  std::optional<TTest> test{};                 // of the finite values; from n = 2 on
  std::optional<double> sign_flip_p{};         // beside it
  std::optional<double> correlation{};         // of partners
  bool by_rank = false;                        // decided by the exact signed-rank test: a diverged run counted as worst
  bool speaks_for = false;                     // the mean difference is as the claim states
  double p_support = 1, p_refute = 1;          // of the test that decides
  double support_floor = 0, refute_floor = 0;  // of the exact test at this n; below it p rests on normal differences
  std::optional<std::size_t> needed{};         // seeds for power 0.8 at this spread, to support the claim or, where
                                               // the pair speaks against it, to refute it; none: no number will do
  std::optional<Interval>
      documents{};  // 95% of the tested quantity over which documents were held out, runs as they are
};

struct ClaimSample {
  std::vector<ClaimPair> pairs;                           // of a claim about the mean: one
  std::vector<std::string> remarks;                       // what was left out or could not be found
  std::map<Presence, std::set<const RunResult*>> absent;  // planned runs without a value: they keep the claim open
  bool trials_undecided = false;  // so does a trial that has not ended, among those that one is chosen of
  bool is_open() const { return pairs.empty() || !absent.empty() || trials_undecided; }
};

// `level`: what undecided pairs' needed seeds are reckoned with.
ClaimSample sample_of(const study::Claim& claim, const Results& results, const std::vector<Group>& groups,
                      const study::Partners& partners, const study::CompareSettings& settings, double level);

}  // namespace assay::compare
