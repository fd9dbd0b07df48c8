#include "compare/verdicts/claims.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/nearest.h"
#include "compare/results/origin.h"
#include "compare/results/step_values.h"
#include "compare/statistics/families.h"
#include "compare/statistics/power.h"
#include "compare/table/columns.h"
#include "compare/verdicts/claim_pairs.h"

namespace assay::compare {
namespace {

std::string factor_text(double factor) { return factor == 1 ? "" : fmt::format("{} * ", factor); }

std::string quantity_of(const study::Inequality& inequality) {
  auto text = factor_text(inequality.left_factor) + "left";
  if (inequality.right_factor != 0) text += " - " + factor_text(inequality.right_factor) + "right";
  if (inequality.offset != 0)
    text += fmt::format(" {} {}", inequality.offset > 0 ? "-" : "+", std::abs(inequality.offset));
  return text;
}

const char* name_of(study::Over over) {
  return over == study::Over::kMean ? "mean" : over == study::Over::kTuned ? "tuned" : "each";
}

std::vector<std::string> metrics_of(const study::CompareSettings& settings) {
  std::vector<std::string> metrics;
  for (const auto& claim : settings.claims) {
    metrics.push_back(claim.left.metric.name);
    if (claim.right) metrics.push_back(claim.right->metric.name);
  }
  return metrics;
}

std::size_t seeds_of(const Results& results) {
  std::set<std::int64_t> seeds;
  for (const auto& run : results.runs) seeds.insert(run.seed);
  return seeds.size();
}

// Every pair must hold, so the largest p supports the claim. One pair that does not hold refutes it, so the smallest p
// counts, multiplied by the number of pairs.
void combine(const ClaimSample& sample, JudgedClaim& claim) {
  claim.p_support = sample.is_open() ? 1 : 0;
  double refute = 1;
  for (const auto& pair : sample.pairs) {
    claim.p_support = std::max(claim.p_support, pair.p_support);
    refute = std::min(refute, pair.p_refute);
  }
  claim.p_refute = sample.is_open() ? 1 : std::min(1.0, refute * static_cast<double>(sample.pairs.size()));
  claim.is_tested = !sample.is_open() && std::all_of(sample.pairs.begin(), sample.pairs.end(),
                                                     [](const ClaimPair& pair) { return pair.is_tested; });
}

std::string runs_text(std::size_t count) { return fmt::format("{} run{}", count, count == 1 ? "" : "s"); }

// Explains which runs without a value keep a claim from being decided, and what to do about it.
void explain_absent(const ClaimSample& sample, JudgedClaim& claim) {
  const auto runs = [&](Presence presence) {
    const auto found = sample.absent.find(presence);
    return found == sample.absent.end() ? 0 : found->second.size();
  };
  const auto to_come = runs(Presence::kPending), failed = runs(Presence::kFailed), diverged = runs(Presence::kDiverged),
             pruned = runs(Presence::kPruned), none = runs(Presence::kNotApplicable);
  if (to_come > 0)
    claim.remarks.push_back(
        fmt::format("{} {} pending, and the claim cannot be decided before; "
                    "assay run continues the plan, and --until-decided judges a study while it grows.",
                    runs_text(to_come), to_come == 1 ? "is" : "are"));
  if (failed > 0)
    claim.remarks.push_back(
        fmt::format("{} failed, and the claim cannot be decided before {} a value; assay run retries failed runs.",
                    runs_text(failed), failed == 1 ? "it has" : "they have"));
  if (diverged > 0)
    claim.remarks.push_back(fmt::format(
        "{} diverged, so the claim cannot be decided; diverged = \"worst\" would count {} as worse than any other run.",
        runs_text(diverged), diverged == 1 ? "it" : "them"));
  if (pruned > 0)
    claim.remarks.push_back(
        fmt::format("{} {} pruned, so there is no value to compare.", runs_text(pruned), pruned == 1 ? "was" : "were"));
  if (none > 0)
    claim.remarks.push_back(
        fmt::format("{} {} no value of the metric (n/a), and the claim cannot be decided by the others alone.",
                    runs_text(none), none == 1 ? "has" : "have"));
}

// True if neither waiting nor another attempt can decide the claim. With more seeds another trial may be chosen.
bool is_stuck(const ClaimSample& sample, const JudgedClaim& claim) {
  const auto by_rank = [](const ClaimPair& pair) { return pair.by_rank; };
  if (claim.over == name_of(study::Over::kTuned)) return false;
  return sample.absent.contains(Presence::kDiverged) || sample.absent.contains(Presence::kPruned) ||
         sample.absent.contains(Presence::kNotApplicable) ||
         (claim.is_about_equality && std::ranges::any_of(sample.pairs, by_rank));
}

// The number of seeds with which the open pairs would decide a claim. One pair that speaks against it refutes it, so
// the fewest count; all pairs must support it, so the most count. None: no number of seeds suffices.
std::optional<std::size_t> needed_to(bool support, const std::vector<ClaimPair>& pairs, double level) {
  std::optional<std::size_t> needed;
  for (const auto& pair : pairs) {
    if (support ? pair.p_support < level : pair.speaks_for) continue;
    if (!pair.needed && support) return std::nullopt;
    if (!pair.needed) continue;
    const auto more = std::max(*pair.needed, pair.n + 1);
    needed = !needed ? more : support ? std::max(*needed, more) : std::min(*needed, more);
  }
  return needed;
}

// Explains why a claim is undecided, and how many seeds would decide it at this level.
void explain(const ClaimSample& sample, double level, JudgedClaim& claim) {
  explain_absent(sample, claim);
  claim.is_stuck = is_stuck(sample, claim);
  if (sample.pairs.empty()) return;
  const auto& smallest =
      *std::ranges::min_element(sample.pairs, {}, [](const auto& pair) { return pair.pairs.planned; });
  const auto planned = static_cast<std::size_t>(smallest.pairs.planned);
  if (planned < kMinPairs) {
    claim.remarks.push_back(fmt::format("n is too small: {} of the at least {} seeds that a verdict needs{}.",
                                        smallest.n, kMinPairs,
                                        smallest.n < planned ? fmt::format(" ({} planned)", planned) : ""));
    return;
  }
  const bool by_rank = std::ranges::any_of(sample.pairs, [](const auto& pair) { return pair.by_rank; });
  if (by_rank && claim.is_about_equality)
    claim.remarks.push_back("A diverged run is not within any margin, so the claim remains undecided.");
  if (sample.is_open() || by_rank) return;
  const auto is_open = [&](const ClaimPair& pair) { return pair.p_support >= level; };
  const bool support = std::ranges::all_of(sample.pairs, [&](const auto& pair) { return pair.speaks_for; });
  claim.needed_level = support ? level : level / static_cast<double>(sample.pairs.size());
  claim.needed = needed_to(support, sample.pairs, level);
  // Each pair would suffice alone; the family's adjustment requires more.
  if (std::ranges::none_of(sample.pairs, is_open)) claim.needed = smallest.n + 1;
  claim.remarks.push_back(
      claim.needed
          ? fmt::format("{} seeds are needed to {} the claim at the present spread (power 0.8 at level {:.2g}).",
                        *claim.needed, support ? "support" : "refute", claim.needed_level)
          : fmt::format("At the present spread, {} seeds would not decide the claim at level {:.2g}.", kMaxPairs,
                        claim.needed_level));
}

// Remarks on the metrics of a verdict: that no record has one, or that they are timings of more than one machine or
// load.
std::vector<std::string> remarks_on_metrics(const JudgedClaim& claim, const std::set<std::string>& known,
                                            const std::vector<std::string>& conditions) {
  std::vector<std::string> remarks, metrics{claim.left_metric};
  if (!claim.right_metric.empty() && claim.right_metric != claim.left_metric) metrics.push_back(claim.right_metric);
  for (const auto& metric : metrics) {
    if (!known.empty() && !known.count(metric))
      remarks.push_back(fmt::format("No record has the metric {}{}.", metric,
                                    base::suggestion(metric, {known.begin(), known.end()}, "metrics are ")));
    if (is_timing(metric) && conditions.size() > 1)
      remarks.push_back(fmt::format("{} is not comparable, because it was measured under different conditions: {}.",
                                    metric, fmt::join(conditions, "; ")));
  }
  return remarks;
}

// The claims that earlier interim analyses have decided.
std::map<std::string, std::string> decided_before(const InterimAnalyses& interim) {
  std::map<std::string, std::string> decided;
  for (const auto& analysis : interim.analyses) decided.insert(analysis.decided.begin(), analysis.decided.end());
  return decided;
}

}  // namespace

const char* name_of(Verdict verdict) {
  return verdict == Verdict::kSupported ? "supported" : verdict == Verdict::kRefuted ? "refuted" : "undecided";
}

std::size_t Judgement::count(Verdict verdict) const {
  return static_cast<std::size_t>(
      std::count_if(claims.begin(), claims.end(), [&](const JudgedClaim& claim) { return claim.verdict == verdict; }));
}

Judgement judge(Results& results, const JudgeRequest& request) {
  const auto& settings = request.settings;
  auto metrics = metrics_of(settings);
  if (settings.tune) metrics.push_back(settings.tune->by.name);
  add_step_values(results, metrics);
  const auto groups = groups_of(results);
  const study::Partners partners(lines_of(groups));

  Judgement judgement;
  judgement.experiment = results.experiment;
  const auto seeds = seeds_of(results);
  const auto& interim = request.interim.analyses;
  const bool between_analyses =
      request.interim.most_seeds > 0 && !request.is_interim &&
      std::none_of(interim.begin(), interim.end(), [&](const InterimAnalysis& one) { return one.seeds == seeds; });
  judgement.level = between_analyses ? 0 : level_with(request.interim, seeds, kSignificanceLevel);
  judgement.interim_analyses = request.interim.analyses.size();
  judgement.provenance = provenance_of(results, request.command);
  const double one_of_all = judgement.level / static_cast<double>(std::max<std::size_t>(settings.claims.size(), 1));
  std::vector<ClaimSample> samples;
  std::vector<double> support, refute;
  for (const auto& claim : settings.claims) {
    const auto given = request.samples.find(claim.hash);
    samples.push_back(given != request.samples.end()
                          ? given->second
                          : sample_of(claim, results, groups, partners, settings, std::max(one_of_all, 1e-6)));
    auto& judged = judgement.claims.emplace_back(
        JudgedClaim{.says = claim.says,
                    .source = claim.source,
                    .inequality = claim.inequality.text,
                    .hash = claim.hash,
                    .quantity = quantity_of(claim.inequality),
                    .over = name_of(claim.over),
                    .is_about_equality = claim.inequality.relation == study::Relation::kEqual,
                    .left_metric = claim.left.metric.name,
                    .right_metric = claim.right ? claim.right->metric.name : ""});
    combine(samples.back(), judged);
    support.push_back(judged.p_support);
    refute.push_back(judged.p_refute);
  }
  const auto support_adjusted = holm(support), refute_adjusted = holm(refute);
  const auto before = decided_before(request.interim);
  const auto conditions = timing_conditions(results);
  std::set<std::string> known;  // metrics of any record
  for (const auto& run : results.runs)
    for (const auto& [name, value] : run.values) known.insert(name);
  for (std::size_t i = 0; i < judgement.claims.size(); ++i) {
    auto& claim = judgement.claims[i];
    claim.pairs = samples[i].pairs;
    claim.remarks = samples[i].remarks;
    const bool is_about_rows = !request.samples.contains(claim.hash);
    if (is_about_rows)
      for (auto& remark : remarks_on_metrics(claim, known, conditions)) claim.remarks.push_back(std::move(remark));
    claim.p_support = support_adjusted[i];
    claim.p_refute = refute_adjusted[i];
    claim.verdict = claim.p_support < judgement.level  ? Verdict::kSupported
                    : claim.p_refute < judgement.level ? Verdict::kRefuted
                                                       : Verdict::kUndecided;
    if (const auto found = before.find(claim.hash); found != before.end()) {
      claim.verdict = found->second == "supported" ? Verdict::kSupported : Verdict::kRefuted;
      claim.remarks.push_back("The claim was decided at an earlier interim analysis of this study.");
    }
    if (claim.verdict == Verdict::kUndecided && between_analyses)
      claim.remarks.push_back(
          "Claims are decided only at an interim analysis; assay run --until-decided makes the next one.");
    else if (claim.verdict == Verdict::kUndecided && is_about_rows)
      explain(samples[i], one_of_all, claim);
    else if (claim.verdict == Verdict::kUndecided)
      explain_absent(samples[i], claim);
    const auto stated = request.results_when_stated.find(claim.hash);
    claim.in_plan = stated != request.results_when_stated.end();
    if (claim.in_plan) claim.results_when_stated = stated->second;
  }
  return judgement;
}

}  // namespace assay::compare
