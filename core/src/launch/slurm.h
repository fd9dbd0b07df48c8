// Submits a plan to Slurm: one job array per resource shape, split if the cluster does not allow such long ones.
// Submits and returns; on the nodes slurm_task.h runs each task.
#pragma once

#include <compare>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "plan/launch_settings.h"
#include "record/plan_line/plan_line.h"

namespace assay::launch {

struct SlurmOptions {
  std::filesystem::path assay;       // the program; nodes see it and the results by the same paths
  std::filesystem::path experiment;  // results/<experiment>
  plan::SlurmSettings settings;
  int jobs = 0;              // of one array at once; 0: as many as the cluster has room for
  bool share_trunks = true;  // train steps that runs have in common once
  bool dry_run = false;      // prints what it would submit; queries the cluster, changes nothing
};

// The resources that one run requests from the cluster.
struct SlurmShape {
  int tasks = 1;           // processes: the ranks of a mesh over MPI, otherwise one
  int cores_per_task = 1;  // threads of all ranks in the process
  int gpus_per_task = 0;
  auto operator<=>(const SlurmShape&) const = default;
};
// A device of "auto" counts as a GPU if the settings name the cluster's GPUs (gres).
SlurmShape slurm_shape(const record::PlanLine& plan_line, bool has_gres);

// The options of sbatch for an array of this many runs of one shape.
std::vector<std::string> sbatch_options(const SlurmShape& shape, size_t runs, const SlurmOptions& options);

// A run that continues another one (launch/trunks.h) is in an array of its own that waits for the other's array.
//
// Submits the runs that have no complete record, do not run here and are not on Slurm, and prints this to `out`. Two
// controllers submit one after the other. Throws UserError when the cluster refuses.
void submit_to_slurm(const std::vector<record::PlanLine>& plan, const SlurmOptions& options, std::ostream& out);

}  // namespace assay::launch
