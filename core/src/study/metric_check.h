// Metrics that an experiment file or a command line names: whether the runs of a plan have them.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "document/diagnostics.h"

namespace assay::study {

struct MetricName {
  std::string name;
  document::Position position;
};

// An evaluation that can name its metrics gives this one; `known`: by label. `whole`: with its coordinates, else
// without them it stands for all of its name.
void check_metric_is_given(const MetricName& metric, bool whole,
                           const std::map<std::string, std::vector<std::string>>& known,
                           document::Diagnostics& diagnostics);

// The owner is `train` or an evaluator of the runs, and a step is one at which the runs evaluate (log, for train.*).
// `lines`: of a plan, one a group at least.
void check_metric(const MetricName& metric, const std::vector<nlohmann::json>& lines,
                  document::Diagnostics& diagnostics);

}  // namespace assay::study
