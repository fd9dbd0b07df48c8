// assay.local.toml: how machines are requested from the local cluster. Git ignores the file, and it is not part of the
// identity of any run.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace assay::plan {

// [launch.slurm]. Empty values select the cluster's default.
struct SlurmSettings {
  std::string partition, account, time;  // in the form of sbatch
  std::string gres;                      // the name of a GPU, such as gpu:a100; the run determines how many
  int grace = 120;                       // seconds before the time limit at which a run checkpoints and is queued again
  std::vector<std::string> options;      // further options of sbatch, such as --mem=16G
  std::vector<std::string> setup;        // shell lines executed before the run
  std::string wrap;                      // shell words before the worker's command, such as those of a container
};

// Reads the first assay.local.toml going up from the experiment's folder, else from the current folder; without a file,
// returns the defaults. Throws ConfigErrors with all errors of the file.
SlurmSettings read_slurm_settings(const std::filesystem::path& experiment_file);

// Converts a Slurm time limit (minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes or
// days-hours:minutes:seconds) to seconds; returns 0 for no limit ("infinite", "unlimited") and -1 for other text.
long slurm_seconds(const std::string& time);

}  // namespace assay::plan
