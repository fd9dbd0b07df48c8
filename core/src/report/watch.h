// The conditions that `assay report --watch` polls: whether a sweep continues, and whether its files have changed.
#pragma once

#include <string>

#include "record/layout.h"

namespace assay::report {

// True if a planned run is queued or running, or a controller is running, which may retry failed runs.
bool sweep_is_running(const record::ExperimentLayout& experiment);

// Changes when a file that a report reads changes: contains the sizes and times of the experiment's files.
std::string state_of_files(const record::ExperimentLayout& experiment);

}  // namespace assay::report
