// The verdict on every claim of an experiment file.
//
// A claim is a relation of left_factor * left - right_factor * right - offset to 0. Each pair of rows is tested over
// its seeds by a paired t test (against a number: a test of one row's values). `<` and `>` are decided by the two-sided
// p: supported in the stated direction, refuted in the other. `= within M` is supported by two one-sided tests at +-M
// and refuted by the test that the difference lies outside. Over several pairs: a claim about each needs every pair
// (the largest p; Berger 1982), and one pair, its p times their number, refutes it. Then Holm over the claims of the
// file, for "supported" and for "refuted" apart, so each kind of wrong verdict has a probability of at most 5% in the
// whole file. A claim is tested when all planned pairs of its rows have values, because a subset may be biased.
// Differences without spread are tested by their signs, because the t test would treat them as certain (t_test.h).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compare/results/run_results.h"
#include "compare/verdicts/claim_pairs.h"
#include "compare/verdicts/interim_analyses.h"
#include "study/compare_settings.h"

namespace assay::compare {

enum class Verdict { kSupported, kRefuted, kUndecided };
const char* name_of(Verdict verdict);  // supported, refuted, undecided

struct JudgedClaim {
  std::string says, source, inequality, hash;
  std::string quantity;  // the quantity tested against 0: "left - right + 0.5"
  std::string over;      // each, mean, tuned
  bool is_about_equality = false;
  std::string left_metric, right_metric;
  Verdict verdict = Verdict::kUndecided;
  bool is_tested = false;
  double p_support = 1, p_refute = 1;  // adjusted
  std::vector<ClaimPair> pairs{};
  std::vector<std::string> remarks{};  // sentences: why it is undecided, what was left out
  bool is_stuck = false;  // a run without a value, which neither waiting nor another attempt fixes, keeps it undecided
  std::optional<std::size_t> needed{};  // seeds that an undecided claim would need at the present spread
  double needed_level = 0;              // level of the test for which `needed` holds
  int results_when_stated = 0;
  bool in_plan = true;  // false: stated after the plan was made and so after its results
};

struct Judgement {
  std::string experiment;
  double level = 0.05;
  std::size_t interim_analyses = 0;  // number of interim analyses so far
  std::vector<JudgedClaim> claims;
  std::vector<std::pair<std::string, std::string>> provenance;
  std::size_t count(Verdict verdict) const;
};

struct JudgeRequest {
  study::CompareSettings settings;
  std::map<std::string, int> results_when_stated;  // by hash; a missing claim is not in the plan
  InterimAnalyses interim;
  bool is_interim = false;  // false: a growing study decides nothing at a number of seeds without an interim analysis
  std::string command;
  std::map<std::string, ClaimSample> samples{};  // by hash, of claims that are not about rows: those of scaling laws
};

// Adds the values of metrics at intermediate steps to `results`.
Judgement judge(Results& results, const JudgeRequest& request);

}  // namespace assay::compare
