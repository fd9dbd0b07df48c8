// A metric as experiment files and command lines name it: <evaluator label>.<name>@<coordinate>=<value>, or
// train.<name>.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace assay::record {

// "lm" of lm.bits_per_byte@length=512, or "train".
std::string owner_of(const std::string& metric);

// A metric at a step on the way has the step as its last coordinate: lm.bits_per_byte@length=64,step=1000. The metric
// without it, and the step; no step for a metric of finished weights.
struct StepMetric {
  std::string metric;
  std::optional<std::int64_t> step;
};
StepMetric split_step(const std::string& metric);

}  // namespace assay::record
