// What differs between two runs, by their plan lines and records.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "record/layout.h"
#include "record/plan_line/plan_line.h"

namespace assay::compare {

struct RunDifference {
  std::string part;  // configuration, evaluations, code, environment, data, source, metrics, measured
  std::string key;
  std::string a, b;                  // "-": the run has no such key
  std::optional<double> difference;  // b - a, for numbers of metrics and measurements
};

// In the order of the parts above. A run without its record has only its configuration.
std::vector<RunDifference> run_differences(const record::PlanLine& line_a, const record::RunLayout& a,
                                           const record::PlanLine& line_b, const record::RunLayout& b);

}  // namespace assay::compare
