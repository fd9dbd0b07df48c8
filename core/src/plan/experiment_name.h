// The results folder of an experiment file, and its name there.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace assay::plan {

// ASSAY_RESULTS, else results/ next to the innermost experiments/ folder that contains the file, else ./results.
std::filesystem::path results_root(const std::filesystem::path& experiment_file);

// The path under experiments/ without its extension, with "/" and "_" replaced by "-": alibi/long_context.toml becomes
// alibi-long-context.
std::string experiment_name(const std::filesystem::path& experiment_file);

// "experiments/alibi/long_context.toml": the name of the file in its records, independent of the current folder.
// Outside an experiments/ folder, it is the file name alone.
std::string source_name(const std::filesystem::path& experiment_file);

// [experiment] name, possibly from a file that it extends, else experiment_name. Throws ConfigErrors when the file
// cannot be read.
std::string name_of_file(const std::filesystem::path& experiment_file);

// The file of that name under the experiments/ folder that contains `near`; no value when there is none.
std::optional<std::filesystem::path> file_of_experiment(const std::string& name, const std::filesystem::path& near);

}  // namespace assay::plan
