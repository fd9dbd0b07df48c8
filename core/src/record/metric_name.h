// The name of a metric in experiment files and on command lines: <evaluator label>.<name>@<coordinate>=<value>, or
// train.<name>.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace assay::record {

// "lm" of lm.bits_per_byte@length=512, or "train".
std::string owner_of(const std::string& metric);

// A metric at an intermediate step has the step as its last coordinate: lm.bits_per_byte@length=64,step=1000. This is
// the metric without that coordinate, and the step; a metric of the final weights has no step.
struct StepMetric {
  std::string metric;
  std::optional<std::int64_t> step;
};
StepMetric split_step(const std::string& metric);

}  // namespace assay::record
