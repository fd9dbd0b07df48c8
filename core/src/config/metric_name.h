// A metric as experiment files and command lines name it: <evaluator label>.<name>@<coordinate>=<value>, or
// train.<name>.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "config/diagnostics.h"

namespace assay::config {

struct MetricName {
  std::string name;
  Position position;
};

// "lm" of lm.bits_per_byte@length=512, or "train".
std::string owner_of(const std::string& metric);

// A metric at a step on the way has the step as its last coordinate: lm.bits_per_byte@length=64,step=1000. The metric
// without it, and the step; no step for a metric of finished weights.
struct StepMetric {
  std::string metric;
  std::optional<std::int64_t> step;
};
StepMetric split_step(const std::string& metric);

// An evaluation that can name its metrics gives this one; `known`: by label. `whole`: with its coordinates, else
// without them it stands for all of its name.
void check_metric_is_given(const MetricName& metric, bool whole,
                           const std::map<std::string, std::vector<std::string>>& known, Diagnostics& diagnostics);

// The owner is `train` or an evaluator of the runs, and a step is one at which the runs evaluate (log, for train.*).
// `lines`: of a plan, one a group at least.
void check_metric(const MetricName& metric, const std::vector<nlohmann::json>& lines, Diagnostics& diagnostics);

}  // namespace assay::config
