// assay export of a whole experiment: its numbers as CSV, or its events told to a tracker.
#pragma once

#include <string>
#include <vector>

#include "schema/descriptors.h"

namespace assay::cli {

// words: the experiment. To the file `out`, or to standard output when that is empty.
int export_csv(const std::vector<std::string>& words, const std::string& out, bool curves);

// words: the experiment, and the tracker's parameters as key=value. Every run that has events goes into a folder of its
// own below `out`, for what the tracker takes for the run's folder.
int export_to_tracker(const std::vector<std::string>& words, const std::string& tracker, const std::string& out,
                      const schema::Catalogue& catalogue);

}  // namespace assay::cli
