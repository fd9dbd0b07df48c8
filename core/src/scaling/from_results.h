// The runs of an experiment as points and curves of scaling laws.
#pragma once

#include <string>
#include <vector>

#include "compare/results/run_results.h"
#include "scaling/fit.h"
#include "study/scaling_settings.h"

namespace assay::scaling {

struct MeasuredGroups {
  std::vector<RunGroup> groups;    // one for each combination of values of `by`
  std::vector<std::string> notes;  // runs without a value, by name, with the reason
};

// Throws UserError when no run has a value, or when a run's record lacks what the settings ask for.
MeasuredGroups measured_groups(const compare::Results& results, const study::ScalingSettings& settings);

// How the settings fit.
FitOptions fit_options_of(const study::ScalingSettings& settings, int threads);

}  // namespace assay::scaling
