// The X of `assay compare X` and `assay status X`: an experiment file, or the name of its results.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "record/layout.h"

namespace assay::cli {

struct NamedExperiment {
  record::ExperimentLayout layout;
  std::optional<std::filesystem::path> file;  // set when a file was named
};

// Throws UserError, with the nearest name or the existing ones, when there is no such file or there are no such
// results.
NamedExperiment find_experiment(const std::string& text);

// The results folder when no file names one: ASSAY_RESULTS, otherwise results/ as seen from the current folder.
std::filesystem::path default_results_root();

// The results folders with a plan, by name.
std::vector<record::ExperimentLayout> experiments_in(const std::filesystem::path& root);

}  // namespace assay::cli
