// assay export of an experiment: writes its numbers as CSV, or replays its events to a tracker.
#pragma once

#include <string>
#include <vector>

#include "schema/descriptors.h"

namespace assay::cli {

// words: the experiment. Writes the file `out`, or standard output if `out` is empty.
int export_csv(const std::vector<std::string>& words, const std::string& out, bool curves);

// words: the experiment, and the tracker's parameters as key=value. Every run that has events gets a folder of its own
// below `out`, which the tracker uses as the run's folder.
int export_to_tracker(const std::vector<std::string>& words, const std::string& tracker, const std::string& out,
                      const schema::Catalogue& catalogue);

}  // namespace assay::cli
