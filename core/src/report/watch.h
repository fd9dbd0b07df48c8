// What `assay report --watch` looks at: whether a sweep goes on, and whether its files have changed.
#pragma once

#include <string>

#include "record/layout.h"

namespace assay::report {

// A planned run is queued or running, or a controller is at work, which may try failed runs again.
bool sweep_goes_on(const record::ExperimentLayout& experiment);

// Differs when anything that a report reads of an experiment has changed: sizes and times of its files.
std::string state_of_files(const record::ExperimentLayout& experiment);

}  // namespace assay::report
