// The runs of an experiment as points and curves of scaling laws.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compare/results/run_results.h"
#include "scaling/fit.h"
#include "study/scaling_settings.h"
#include "sweep/selector.h"

namespace assay::scaling {

struct MeasuredGroups {
  std::vector<RunGroup> groups;           // one for each combination of values of `by`
  std::vector<std::string> notes;         // runs without a value, by name, with the reason
  std::optional<std::size_t> baseline{};  // the group of which every run matches the baseline; nothing if there is none
};

// "positional=alibi": the values of the axes that name a group.
std::string group_name(const compare::RunResult& run, const std::vector<std::string>& by);

// Throws UserError when no run has a value, or when a run's record lacks what the settings ask for.
MeasuredGroups measured_groups(const compare::Results& results, const study::ScalingSettings& settings,
                               const std::optional<sweep::Selector>& baseline);

// How the settings fit.
FitOptions fit_options_of(const study::ScalingSettings& settings, int threads);

}  // namespace assay::scaling
