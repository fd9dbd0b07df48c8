// assay.local.toml: how this place's cluster is asked for machines. Git ignores it, and no run's identity holds any of
// it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace assay::plan {

// [launch.slurm]; empty: not said, so the cluster's own default.
struct SlurmSettings {
  std::string partition, account, time;  // as sbatch takes them
  std::string gres;                      // what a GPU is called, such as gpu:a100; how many is the run's own affair
  int grace = 120;                       // seconds before the time limit at which a run saves and queues again
  std::vector<std::string> options;      // further options of sbatch, such as --mem=16G
  std::vector<std::string> setup;        // lines of shell before the run starts
  std::string wrap;                      // shell words before the worker's command, such as a container's
};

// Of the first assay.local.toml going up from the experiment's folder, else from the current one; without a file, all
// defaults. Throws ConfigErrors with everything that is wrong in it.
SlurmSettings read_slurm_settings(const std::filesystem::path& experiment_file);

// Minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes or days-hours:minutes:seconds, as
// Slurm reads a time limit, in seconds; 0 for no limit ("infinite", "unlimited"), -1 for what is none of these.
long slurm_seconds(const std::string& time);

}  // namespace assay::plan
