// One task of a job array, on its node: runs the worker, passes Slurm's signal on, and queues what it cut short again.
#pragma once

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

namespace assay::launch {

// The run of SLURM_ARRAY_TASK_ID in a folder of slurm_jobs.h; `wrap` goes before the worker's words. What starts the
// ranks that are processes is srun where it speaks PMIx, else mpirun. Exit code: 0 done (or another process is at it),
// 1 failed, 75 stopped before it was done.
//
// SIGTERM comes before the time limit (--signal), at preemption and at scancel; the worker gets it and saves its state.
// A task that still counts as running then is queued again; a preempted one Slurm queues itself, and a cancelled one
// stays away.
int slurm_task(const std::filesystem::path& worker, const std::filesystem::path& folder,
               const std::vector<std::string>& wrap, std::ostream& out);

}  // namespace assay::launch
