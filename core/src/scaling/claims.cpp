#include "scaling/claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "assay/error.h"
#include "scaling/from_results.h"
#include "scaling/multiplier.h"
#include "scaling/rungs.h"

namespace assay::scaling {
namespace {

// The multiplier at the largest rung, whose standard error is that of its logarithm times the multiplier, or the slope.
compare::TTest test_of(const study::Claim& claim, const Multiplier& found) {
  compare::TTest test{.n_left = found.rungs.size(), .n_right = found.rungs.size()};
  const auto& largest = found.rungs.back();
  const bool is_slope = claim.left.metric.name == study::kMultiplierSlope;
  const double k = claim.inequality.left_factor, value = is_slope ? found.slope : largest.multiplier;
  test.difference = k * value - claim.inequality.offset;
  test.standard_error = std::fabs(k) * (is_slope ? found.slope_error : largest.multiplier * largest.standard_error);
  test.degrees_of_freedom = is_slope ? found.slope_degrees_of_freedom : largest.degrees_of_freedom;
  return test;
}

compare::ClaimPair pair_of(const study::Claim& claim, const std::string& variant, const std::string& baseline,
                           const Multiplier& found) {
  compare::ClaimPair pair{.left = variant, .right = baseline};
  pair.n = found.rungs.size();
  pair.pairs.planned = pair.pairs.present = static_cast<int>(pair.n);
  pair.test = test_of(claim, found);
  pair.speaks_for = (pair.test->difference > 0) == (claim.inequality.relation == study::Relation::kGreater);
  const bool is_slope = claim.left.metric.name == study::kMultiplierSlope;
  pair.is_tested = pair.n >= kMinTestedRungs && (is_slope || !found.rungs.back().is_extrapolated);
  if (pair.is_tested) (pair.speaks_for ? pair.p_support : pair.p_refute) = compare::p_two_sided(*pair.test);
  return pair;
}

std::string remark_on(const compare::ClaimPair& pair) {
  const auto text =
      fmt::format("n counts budgets; the interval has {:.1f} degrees of freedom", pair.test->degrees_of_freedom);
  if (pair.is_tested) return text + ".";
  return pair.n < kMinTestedRungs
             ? fmt::format("{}, and a verdict needs {} budgets.", text, kMinTestedRungs)
             : text + ", and the multiplier at the largest budget is extrapolated, so nothing is decided.";
}

bool belongs_to(const compare::RunResult& run, const RunGroup& group, const std::vector<std::string>& by) {
  return group_name(run, by) == group.name;
}

}  // namespace

std::map<std::string, compare::ClaimSample> multiplier_samples(const compare::Results& results,
                                                               const study::CompareSettings& settings) {
  std::map<std::string, compare::ClaimSample> samples;
  std::vector<const record::PlanLine*> lines;
  for (const auto& run : results.runs) lines.push_back(&run.line);
  std::optional<MeasuredGroups> collected;  // for the first claim about scaling
  for (const auto& claim : settings.claims) {
    if (!study::is_of_scaling(claim)) continue;
    auto& sample = samples[claim.hash];
    if (!settings.scaling || !settings.baseline) {
      sample.remarks.push_back("The claim needs [scaling] and a baseline in [compare].");
      continue;
    }
    try {
      if (!collected) {
        auto points_alone = *settings.scaling;  // no claim reads training curves
        points_alone.envelope = false;
        collected = measured_groups(results, points_alone, settings.baseline);
      }
      const auto& measured = *collected;
      if (!measured.baseline) throw UserError("the baseline of [compare] is not one of the groups of [scaling]");
      const auto& baseline = measured.groups[*measured.baseline];
      const auto selector = sweep::resolved(claim.left.rows, lines);
      for (const auto& group : measured.groups) {
        if (&group == &baseline) continue;
        bool is_chosen = false;
        for (const auto& run : results.runs) {
          const bool is_of_variant = belongs_to(run, group, settings.scaling->by);
          is_chosen |= is_of_variant && sweep::matches(selector, run.line);
          const auto presence = compare::presence_of(run, settings.scaling->metric.name);
          if (presence != compare::Presence::kPresent &&
              (is_of_variant || belongs_to(run, baseline, settings.scaling->by)))
            sample.absent[presence].insert(&run);
        }
        if (!is_chosen) continue;
        const auto options = fit_options_of(*settings.scaling, 1);
        const auto found = fit_multiplier(rungs_of(group.points, baseline.points, options.profiles),
                                          {.resamples = kMultiplierResamples, .seed = options.bootstrap.seed});
        sample.pairs.push_back(pair_of(claim, group.name, baseline.name, found));
        sample.remarks.push_back(remark_on(sample.pairs.back()));
      }
    } catch (const UserError& error) {
      sample.remarks.push_back(std::string(error.what()) + ".");
    }
  }
  return samples;
}

}  // namespace assay::scaling
