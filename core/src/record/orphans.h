// Runs in the results of an experiment that are not in its plan in force.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "record/layout.h"

namespace assay::record {

std::vector<RunLayout> orphans_of(const ExperimentLayout& experiment, const std::vector<nlohmann::json>& plan_lines);

}  // namespace assay::record
