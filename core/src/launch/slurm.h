// A plan given to Slurm: one job array a resource shape, split where the cluster allows no longer ones. Submits and
// returns; on the nodes each task is slurm_task.h.
#pragma once

#include <compare>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "plan/launch_settings.h"

namespace assay::launch {

struct SlurmOptions {
  std::filesystem::path assay;       // the program; nodes see it, and the results, by the same paths
  std::filesystem::path experiment;  // results/<experiment>
  plan::SlurmSettings settings;
  int jobs = 0;          // of one array at once; 0: as many as the cluster has room for
  bool dry_run = false;  // says what it would submit; asks the cluster, changes nothing
};

// What one run asks of the cluster.
struct SlurmShape {
  int tasks = 1;           // processes: ranks of a mesh over MPI, else one
  int cores_per_task = 1;  // threads, of all ranks that the process holds
  int gpus_per_task = 0;
  auto operator<=>(const SlurmShape&) const = default;
};
// A device of "auto" counts as a GPU where the settings name the cluster's (gres).
SlurmShape slurm_shape(const nlohmann::json& plan_line, bool has_gres);

// sbatch's options for an array of so many runs of one shape.
std::vector<std::string> sbatch_options(const SlurmShape& shape, size_t runs, const SlurmOptions& options);

// Submits what has no complete record, is not running here and is not on Slurm already, and says so to `out`. Two
// controllers submit one after the other. UserError when the cluster refuses.
void submit_to_slurm(const std::vector<nlohmann::json>& plan, const SlurmOptions& options, std::ostream& out);

}  // namespace assay::launch
