// [prune]: early stopping by successive halving over groups (Jamieson and Talwalkar 2016, arXiv:1502.07943, sec. 3). At
// each rung, the remaining groups are ranked by the mean of a metric over their seeds, and a fraction of them
// continues.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/duration.h"
#include "document/diagnostics.h"
#include "document/node.h"
#include "record/plan_line/plan_line.h"

namespace assay::study {

struct PruneSettings {
  std::string metric;           // "loss", or as in [compare] metrics, of an [[evaluate]] with `every`
  std::vector<Duration> rungs;  // of training, in order
  double keep = 0.5;            // fraction of the remaining groups, rounded up
  document::Position metric_position, rungs_position;
};

// Returns no value if the file has no such section.
std::optional<PruneSettings> read_prune(const document::Node& document, document::Diagnostics& diagnostics);

// The number of updates of a planned run at a rung; 0 if the rung is not before the end of the run.
int64_t rung_step(const PruneSettings& settings, size_t rung, const record::PlanLine& plan_line);

// Notes about rungs that are shorter than one step of some run, without duplicates.
std::vector<std::string> rounding_notes(const PruneSettings& settings, const std::vector<record::PlanLine>& plan_lines);

// Checks that every run has a value of the metric at every rung.
void check_prune(const PruneSettings& settings, const std::vector<record::PlanLine>& plan_lines,
                 document::Diagnostics& diagnostics);

}  // namespace assay::study
