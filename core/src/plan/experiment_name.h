// Where an experiment file puts its results, and the name that it has there.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace assay::plan {

// ASSAY_RESULTS, else results/ beside the innermost experiments/ folder that holds the file, else ./results.
std::filesystem::path results_root(const std::filesystem::path& experiment_file);

// The path under experiments/ without its ending, "/" and "_" as "-": alibi/long_context.toml is alibi-long-context.
std::string experiment_name(const std::filesystem::path& experiment_file);

// "experiments/alibi/long_context.toml": the file as its records name it, from wherever it was run. Outside of an
// experiments/ folder the file's own name.
std::string source_name(const std::filesystem::path& experiment_file);

// [experiment] name, also by what the file extends, else experiment_name. Throws ConfigErrors when it cannot be read.
std::string name_of_file(const std::filesystem::path& experiment_file);

// The file of that name under the experiments/ folder that holds `near`; nothing when there is none.
std::optional<std::filesystem::path> file_of_experiment(const std::string& name, const std::filesystem::path& near);

}  // namespace assay::plan
