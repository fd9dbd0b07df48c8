// Runs in the results of an experiment that are not in its plan in force.
#pragma once

#include <vector>

#include "record/layout.h"
#include "record/plan_line/plan_line.h"

namespace assay::record {

std::vector<RunLayout> orphans_of(const ExperimentLayout& experiment, const std::vector<PlanLine>& plan_lines);

}  // namespace assay::record
