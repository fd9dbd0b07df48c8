// The verdict on every claim of an experiment file.
//
// A claim is a relation of left_factor * left - right_factor * right - offset to 0. Each pair of rows is tested over
// its seeds by a paired t test (against a number: of one row's values). `<` and `>` are decided by the two-sided p:
// supported in the stated direction, refuted in the other. `= within M` is supported by two one-sided tests at +-M and
// refuted by the test that the difference lies outside. Over several pairs: a claim about each needs every pair (the
// largest p; Berger 1982), and one pair, its p times their number, refutes it. Then Holm over the claims of the file,
// for "supported" and for "refuted" apart, so each kind of wrong verdict has at most its 5% in the whole file. A claim
// is tested when all planned pairs of its rows have their values, for the ones that are there may be the lucky ones.
// Differences without spread are tested by their signs, for t would take them as certain (t_test.h).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compare/bootstrap.h"
#include "compare/looks.h"
#include "compare/presence.h"
#include "compare/run_results.h"
#include "compare/t_test.h"
#include "config/compare_settings.h"

namespace assay {

enum class Verdict { kSupported, kRefuted, kUndecided };
const char* name_of(Verdict verdict);  // supported, refuted, undecided

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

struct JudgedClaim {
  std::string says, source, holds, hash;
  std::string quantity;  // what is tested against 0: "left - right + 0.5"
  std::string over;      // each, mean, tuned
  bool is_about_equality = false;
  std::string left_metric, right_metric;
  Verdict verdict = Verdict::kUndecided;
  bool is_tested = false;
  double p_support = 1, p_refute = 1;  // adjusted
  std::vector<ClaimPair> pairs{};
  std::vector<std::string> remarks{};  // whole sentences: why it is undecided, what was left out
  bool is_stuck = false;  // a run without a value that neither waiting nor another attempt mends keeps it undecided
  std::optional<std::size_t> needed{};  // of an undecided claim: seeds it would need at the present spread
  double needed_level = 0;              // for a test at this level
  int results_when_stated = 0;
  bool in_plan = true;  // false: stated after the plan was made, so after its results
};

struct Judgement {
  std::string experiment;
  double level = 0.05;
  std::size_t looks = 0;  // at the growing study so far
  std::vector<JudgedClaim> claims;
  std::vector<std::pair<std::string, std::string>> provenance;
  std::size_t count(Verdict verdict) const;
};

struct JudgeRequest {
  config::CompareSettings settings;
  std::map<std::string, int> results_when_stated;  // by hash; what is not there is not in the plan
  Looks looks;
  bool is_look = false;  // else a growing study decides nothing at a number of seeds that it has not looked at
  std::string command;
};

// `results` gets the values of metrics at steps on the way.
Judgement judge(Results& results, const JudgeRequest& request);

// "left < right - 0.5 in lm.bits_per_byte@length=512, each"
std::string claim_statement(const JudgedClaim& claim);
// A line a pair with its numbers, then the decision, remarks, and when the claim was stated.
std::vector<std::string> claim_lines(const JudgedClaim& claim, double level);
// What holds for all verdicts of a file: the tests, and the looks so far.
std::vector<std::string> claim_captions(const Judgement& judgement);

// For a terminal, Markdown and JSON.
std::string format_claims_text(const Judgement& judgement);
std::string format_claims_markdown(const Judgement& judgement);
std::string format_claims_json(const Judgement& judgement);

}  // namespace assay
