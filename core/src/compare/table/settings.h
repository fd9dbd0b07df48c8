// compare.json: [compare], [[claim]] and [[figure]] as they were when the plan was made, so that results can be
// compared by their name alone; and for each claim how many results there were when it first stood in a plan.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "record/layout.h"
#include "study/compare_settings.h"

namespace assay::compare {

struct SavedSettings {
  study::CompareSettings settings;
  std::map<std::string, int> results_when_stated;  // hash of a claim -> training records at that time
};

// Nothing is set where there is no such file. Throws UserError when it is spoilt.
SavedSettings read_saved_settings(const std::filesystem::path& file);

// Writes compare.json; what it says of claims that stay is kept. Call it while the experiment's lock is held.
void save_settings(const record::ExperimentLayout& experiment, const study::CompareSettings& settings);

}  // namespace assay::compare
