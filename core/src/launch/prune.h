// Early stopping by group: which groups go on from a rung, by what their runs told there.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "record/layout.h"
#include "study/prune_settings.h"
#include "sweep/selector.h"

namespace assay::launch {

struct Pruning {
  study::PruneSettings settings;
  std::optional<sweep::Selector> baseline;  // never pruned, and not among those that are counted
};

// Whether a run of a plan line has done so many updates, with the evaluations that are due there, and can be resumed
// from there or later.
bool has_reached(const nlohmann::json& plan_line, const record::RunLayout& run, std::int64_t step);

// The metric's value in a run's events at a step that it has reached, smaller is better; infinite where it is no
// number; nothing where it was not told.
std::optional<double> value_at(const record::RunLayout& run, const std::string& metric, std::int64_t step);

struct RungVerdict {
  bool judged = false;                        // else some run has not got there yet
  std::map<std::string, std::string> pruned;  // group: why
  std::size_t not_judged = 0;                 // groups that go on because they have no value there
};

// Throws UserError where runs were evaluated there and the metric is none of what they gave.
// plan_lines: of the groups that are left. A group with a run that failed otherwise than by diverging cannot be judged;
// it goes on, and is not counted.
RungVerdict judge(const std::vector<nlohmann::json>& plan_lines, const record::ExperimentLayout& experiment,
                  const Pruning& pruning, size_t rung);

}  // namespace assay::launch
