// What differs between two runs, by their plan lines and records.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "record/layout.h"

namespace assay::compare {

struct RunDifference {
  std::string part;  // configuration, evaluations, code, environment, data, source, metrics, measured
  std::string key;
  std::string a, b;                  // "-": that run has no such thing
  std::optional<double> difference;  // b - a, of numbers among metrics and measurements
};

// In the order of the parts above. A run without its record has its configuration alone.
std::vector<RunDifference> run_differences(const nlohmann::json& line_a, const record::RunLayout& a,
                                           const nlohmann::json& line_b, const record::RunLayout& b);

}  // namespace assay::compare
