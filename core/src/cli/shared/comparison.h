// Shared by the verbs that show an experiment's results: its settings, and the requests for table and verdicts.
#pragma once

#include <string>
#include <vector>

#include "cli/shared/cli.h"
#include "cli/shared/named_experiment.h"
#include "compare/table/collect.h"
#include "compare/verdicts/claims.h"
#include "study/compare_settings.h"

namespace assay::cli {

constexpr int kUndecided = 4, kProvenanceRefused = 5;  // exit codes

// The settings of the file as it is now if a file was named, otherwise those saved when the plan was made.
study::CompareSettings compare_settings_of(const NamedExperiment& experiment);

// metrics: if empty, those of the settings are used.
compare::CompareRequest compare_request(const NamedExperiment& experiment, const study::CompareSettings& settings,
                                        std::vector<std::string> metrics, bool mixed_code, const Arguments& arguments);

// The command as entered, for the provenance of what it prints.
std::string command_of(const Arguments& arguments);

// The build id of the library that would train now.
std::string current_training_code();

// The verdicts on these claims. Throws MixedCode, like collect.
compare::Judgement judge_claims(const NamedExperiment& experiment, const study::CompareSettings& settings,
                                bool mixed_code, const Arguments& arguments, bool is_interim = false);

}  // namespace assay::cli
