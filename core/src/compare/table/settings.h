// compare.json: [compare], [[claim]], [[figure]] and [scaling] as they were when the plan was made, so that results can
// be compared by the experiment's name alone; and for each claim the number of results when it first was in a plan.
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

// Nothing is set if there is no such file. Throws UserError when it is corrupt.
SavedSettings read_saved_settings(const std::filesystem::path& file);

// Writes compare.json and keeps the entries of claims that remain. Call it while holding the experiment's lock.
void save_settings(const record::ExperimentLayout& experiment, const study::CompareSettings& settings);

}  // namespace assay::compare
