// The pairs of rows of one claim, each tested alone.
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

// One pair of rows, one row against a number, or the mean of several pairs.
struct ClaimPair {
  std::string left, right;  // labels of the rows; right is empty when there is none
  Count pairs{};            // pairs of runs, one per seed; without a right side, runs
  std::size_t n = 0;        // number of pairs in the test: those with values, and those that count as worst
  bool is_complete() const { return n == static_cast<std::size_t>(pairs.planned); }
  bool is_tested = false;                      // false: p is 1 in both directions
  std::optional<TTest> test{};                 // t test of the finite values, for n >= 2
  std::optional<double> sign_flip_p{};         // p of the sign-flip test, for comparison
  std::optional<double> correlation{};         // correlation of the partners
  bool by_rank = false;                        // decided by the exact signed-rank test: a diverged run counted as worst
  bool speaks_for = false;                     // the mean difference agrees with the claim
  double p_support = 1, p_refute = 1;          // p of the deciding test
  double support_floor = 0, refute_floor = 0;  // of the exact test at this n; a smaller p rests on normality
  std::optional<std::size_t> needed{};  // seeds for power 0.8 at this spread, to support the claim or, if the pair
                                        // speaks against it, to refute it; none: no number of seeds suffices
  std::optional<Interval> documents{};  // 95% interval of the tested quantity over documents, for fixed runs
};

struct ClaimSample {
  std::vector<ClaimPair> pairs;                           // one for a claim about the mean
  std::vector<std::string> remarks;                       // sentences on what was left out or not found
  std::map<Presence, std::set<const RunResult*>> absent;  // planned runs without a value, which keep the claim open
  bool trials_undecided = false;  // a trial to choose from has not ended, which keeps the claim open, too
  bool is_open() const { return pairs.empty() || !absent.empty() || trials_undecided; }
};

// `level`: the level used to compute the needed seeds of undecided pairs.
ClaimSample sample_of(const study::Claim& claim, const Results& results, const std::vector<Group>& groups,
                      const study::Partners& partners, const study::CompareSettings& settings, double level);

}  // namespace assay::compare
