// Early stopping by group: which groups continue after a rung, by the values of their runs there.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "record/layout.h"
#include "record/plan_line/plan_line.h"
#include "study/prune_settings.h"
#include "sweep/selector.h"

namespace assay::launch {

struct Pruning {
  study::PruneSettings settings;
  std::optional<sweep::Selector> baseline;  // never pruned and not counted
};

// Whether a run has done this many updates, with the evaluations that are due there, and can be resumed from there or
// later.
bool has_reached(const record::PlanLine& plan_line, const record::RunLayout& run, std::int64_t step);

// The metric's value in a run's events at a step that it has reached, signed so that smaller is better; infinite if it
// is NaN or infinite; nothing if it was not logged.
std::optional<double> value_at(const record::RunLayout& run, const std::string& metric, std::int64_t step);

struct RungVerdict {
  bool judged = false;                        // false: some run has not reached the rung
  std::map<std::string, std::string> pruned;  // group -> reason
  std::size_t not_judged = 0;                 // groups that continue because they have no value there
};

// Throws UserError if runs were evaluated there but none has the metric. plan_lines: those of the remaining groups. A
// group with a run that failed for another reason than divergence cannot be judged; it continues and is not counted.
RungVerdict judge(const std::vector<record::PlanLine>& plan_lines, const record::ExperimentLayout& experiment,
                  const Pruning& pruning, size_t rung);

}  // namespace assay::launch
