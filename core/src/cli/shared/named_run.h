// A run named on the command line: by its folder, by the beginning of its train id, or by a selector that it alone
// matches.
#pragma once

#include <string>

#include "record/layout.h"
#include "record/plan_line/plan_line.h"

namespace assay::cli {

struct NamedRun {
  record::RunLayout layout;
  record::PlanLine line;  // its line of the plan in force
  record::ExperimentLayout experiment() const {
    return record::ExperimentLayout(layout.folder().parent_path().parent_path());
  }
};

// Throws UserError when no run matches or several do.
NamedRun find_run(const std::string& text);

}  // namespace assay::cli
