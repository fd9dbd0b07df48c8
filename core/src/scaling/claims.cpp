#include "scaling/claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "assay/error.h"
#include "scaling/from_results.h"
#include "scaling/multiplier.h"
#include "scaling/rungs.h"

namespace assay::scaling {
namespace {

// The quantity of a claim with its standard error: the multiplier at the largest rung, or the slope.
struct Tested {
  double value = 0, error = 0;  // of the printed quantity
  // The same on the scale on which the interval is symmetric: ln of a multiplier.
  double tested = 0, bound = 0, tested_error = 0;
};

Tested tested_of(const study::Claim& claim, const Multiplier& found) {
  const double bound = claim.inequality.offset / claim.inequality.left_factor;
  if (claim.left.metric.name == study::kMultiplierSlope)
    return {found.slope, found.slope_error, found.slope, bound, found.slope_error};
  const auto& largest = found.rungs.back();
  return {.value = largest.multiplier,
          .error = largest.multiplier * largest.standard_error,
          .tested = std::log(largest.multiplier),
          .bound = bound > 0 ? std::log(bound) : -std::numeric_limits<double>::infinity(),
          .tested_error = largest.standard_error};
}

compare::ClaimPair pair_of(const study::Claim& claim, const std::string& variant, const std::string& baseline,
                           const Multiplier& found) {
  compare::ClaimPair pair{.left = variant, .right = baseline};
  pair.n = found.rungs.size();
  pair.pairs.planned = pair.pairs.present = static_cast<int>(pair.n);
  const auto tested = tested_of(claim, found);
  const double k = claim.inequality.left_factor;
  pair.test = compare::TTest{.n_left = pair.n,
                             .n_right = pair.n,
                             .difference = k * tested.value - claim.inequality.offset,
                             .standard_error = std::fabs(k) * tested.error,
                             .degrees_of_freedom = found.degrees_of_freedom};
  const bool is_above = k * tested.value > claim.inequality.offset;
  pair.speaks_for = is_above == (claim.inequality.relation == study::Relation::kGreater);
  pair.is_tested = pair.n >= kMinTestedRungs;
  if (!pair.is_tested) return pair;
  const compare::TTest test{.n_left = pair.n,
                            .n_right = pair.n,
                            .difference = tested.tested - tested.bound,
                            .standard_error = tested.tested_error,
                            .degrees_of_freedom = found.degrees_of_freedom};
  const double p = std::isinf(test.difference) ? 0 : compare::p_two_sided(test);
  (pair.speaks_for ? pair.p_support : pair.p_refute) = p;
  return pair;
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
  for (const auto& claim : settings.claims) {
    if (!study::is_of_scaling(claim)) continue;
    auto& sample = samples[claim.hash];
    if (!settings.scaling || !settings.baseline) {
      sample.remarks.push_back("The claim needs [scaling] and a baseline in [compare].");
      continue;
    }
    try {
      const auto measured = measured_groups(results, *settings.scaling, settings.baseline);
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
        sample.remarks.push_back(fmt::format(
            "n counts budgets; the interval has {:.0f} degrees of freedom{}.", found.degrees_of_freedom,
            sample.pairs.back().is_tested ? "" : fmt::format(", and a verdict needs {} budgets", kMinTestedRungs)));
      }
    } catch (const UserError& error) {
      sample.remarks.push_back(std::string(error.what()) + ".");
    }
  }
  return samples;
}

}  // namespace assay::scaling
