// [prune]: early stopping by successive halving over groups (Jamieson and Talwalkar 2016, arXiv:1502.07943, sec. 3). At
// each rung the groups that are left are ranked by the mean of a metric over their seeds, and a share of them goes on.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/duration.h"
#include "document/diagnostics.h"
#include "document/node.h"

namespace assay::study {

struct PruneSettings {
  std::string metric;           // "loss", or as in [compare] metrics, of an [[evaluate]] with `every`
  std::vector<Duration> rungs;  // of training, in their order
  double keep = 0.5;            // of the groups that are left, rounded up
  document::Position metric_position, rungs_position;
};

// Nothing where the file has no such section.
std::optional<PruneSettings> read_prune(const document::Node& document, document::Diagnostics& diagnostics);

// The updates of a planned run that are done at a rung; 0: that rung is not before the run's end.
int64_t rung_step(const PruneSettings& settings, size_t rung, const nlohmann::json& plan_line);

// What a plan says of rungs that are less than a step of some run, once each.
std::vector<std::string> rounding_notes(const PruneSettings& settings, const std::vector<nlohmann::json>& plan_lines);

// Every run has the metric's value at every rung.
void check_prune(const PruneSettings& settings, const std::vector<nlohmann::json>& plan_lines,
                 document::Diagnostics& diagnostics);

}  // namespace assay::study
