#include "cli/shared/until_decided.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "assay/error.h"
#include "cli/shared/comparison.h"
#include "compare/formats/format_claims.h"
#include "compare/statistics/power.h"
#include "compare/verdicts/interim_analyses.h"
#include "record/run_status.h"

namespace assay::cli {
namespace {

void check(const plan::Plan& plan, std::size_t seeds, std::size_t most_seeds, const compare::InterimAnalyses& interim,
           const std::string& file) {
  if (plan.compare.claims.empty())
    throw UserError("assay run --until-decided: " + file + " has no [[claim]], so there is nothing to decide");
  if (plan.prune)
    throw UserError(
        "assay run --until-decided: seeds cannot be added to a row that [prune] stops; remove [prune] from " + file);
  if (interim.most_seeds != 0 && interim.most_seeds != most_seeds)
    throw UserError(fmt::format(
        "assay run --until-decided {}: the interim analyses of this study so far spend their levels for at most {} "
        "seeds; continue with --until-decided {}",
        most_seeds, interim.most_seeds, interim.most_seeds));
  if (most_seeds < seeds)
    throw UserError(
        fmt::format("assay run --until-decided {}: the study already has {} seeds, and a verdict needs at least {}; "
                    "give at least {}",
                    most_seeds, seeds, compare::kMinPairs, seeds));
}

// Records what this interim analysis decided and its level.
void record_analysis(const compare::Judgement& judgement, std::size_t seeds, const record::ExperimentLayout& experiment,
                     compare::InterimAnalyses& interim) {
  compare::InterimAnalysis analysis{seeds, judgement.level, {}};
  for (const auto& claim : judgement.claims) {
    const auto known = [&](const compare::InterimAnalysis& before) { return before.decided.count(claim.hash) > 0; };
    if (claim.verdict != compare::Verdict::kUndecided &&
        std::none_of(interim.analyses.begin(), interim.analyses.end(), known))
      analysis.decided[claim.hash] = compare::name_of(claim.verdict);
  }
  interim.analyses.push_back(analysis);
  compare::write_interim_analyses(experiment, interim);
}

// A sweep can be judged if every run is done or has diverged, which claims handle.
bool can_be_judged(int code, const plan::Plan& plan) {
  if (code == kDone) return true;
  const record::ExperimentLayout experiment(plan.results_folder);
  return code == kRunFailed && std::all_of(plan.lines.begin(), plan.lines.end(), [&](const record::PlanLine& line) {
           const auto now = record::run_status(line, experiment.run(line.train_id));
           return now.status == record::RunStatus::kDone ||
                  (now.status == record::RunStatus::kFailed && now.failure_class == "non_finite");
         });
}

std::size_t seeds_analysed(const compare::InterimAnalyses& interim) {
  std::size_t seeds = 0;
  for (const auto& analysis : interim.analyses) seeds = std::max(seeds, analysis.seeds);
  return seeds;
}

}  // namespace

plan::Plan plan_of_study(plan::PlanRequest request) {
  auto plan = plan::make_plan(request);
  const auto names_seeds = [](const std::string& set) { return set.starts_with("experiment.seeds"); };
  if (std::any_of(request.sets.begin(), request.sets.end(), names_seeds)) return plan;
  request.seeds_at_least =
      seeds_analysed(compare::read_interim_analyses(record::ExperimentLayout(plan.results_folder)));
  if (plan.lines.size() / plan.distinct < request.seeds_at_least) plan = plan::make_plan(request);
  return plan;
}

int run_until_decided(plan::PlanRequest request, std::size_t most_seeds, const Arguments& arguments,
                      const std::function<int(plan::Plan&)>& run_plan) {
  request.seeds_at_least = compare::kMinPairs;
  auto plan = plan::make_plan(request);
  const NamedExperiment experiment{record::ExperimentLayout(plan.results_folder), request.file};
  auto interim = compare::read_interim_analyses(experiment.layout);
  const auto seeds = std::max(plan.lines.size() / plan.distinct, seeds_analysed(interim));
  check(plan, seeds, most_seeds, interim, request.file);
  for (const auto number : compare::interim_seed_counts(seeds, most_seeds)) {
    request.seeds_at_least = number;
    if (plan.lines.size() / plan.distinct != number) plan = plan::make_plan(request);
    if (const int code = run_plan(plan); !can_be_judged(code, plan)) return code;
    interim.most_seeds = most_seeds;
    compare::write_interim_analyses(experiment.layout, interim);  // before the first interim analysis
    const auto judgement = judge_claims(experiment, plan.compare, /*mixed_code=*/false, arguments, /*is_interim=*/true);
    const bool seen = !interim.analyses.empty() && interim.analyses.back().seeds == number;
    if (!seen) record_analysis(judgement, number, experiment.layout, interim);
    const auto open = judgement.count(compare::Verdict::kUndecided);
    fmt::print(
        stderr, "Interim analysis {} of this study, at {} seeds and level {:.2g}: {} of {} claims are decided.\n",
        interim.analyses.size(), number, judgement.level, judgement.claims.size() - open, judgement.claims.size());
    const bool stuck = std::ranges::all_of(judgement.claims, [](const compare::JudgedClaim& claim) {
      return claim.verdict != compare::Verdict::kUndecided || claim.is_stuck;
    });
    if (open > 0 && number < most_seeds && !stuck) continue;
    if (open > 0 && number < most_seeds)
      std::cerr
          << "No more seeds are added, because each undecided claim has a run without a value that neither another "
             "attempt nor another seed supplies.\n";
    std::cout << compare::format_claims_text(judgement);
    return open > 0 ? kUndecided : kDone;
  }
  return kUndecided;  // not reached: the last interim analysis returns
}

}  // namespace assay::cli
