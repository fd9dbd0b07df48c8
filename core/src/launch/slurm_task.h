// Runs one task of a job array on its node: runs the worker, forwards Slurm's signal, and requeues a task that was
// stopped early.
#pragma once

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

namespace assay::launch {

// Runs the run of SLURM_ARRAY_TASK_ID in a folder of slurm_jobs.h; `wrap` precedes the worker's command. srun starts
// ranks that are processes if it supports PMIx, otherwise mpirun does. Exit code: 0 done (or another process runs it),
// 1 failed, 75 stopped before completion.
//
// SIGTERM arrives before the time limit (--signal), at preemption and at scancel; it is forwarded to the worker, which
// checkpoints. A task that Slurm still counts as running is then requeued; a preempted task is requeued by Slurm, and a
// cancelled one is not requeued.
int slurm_task(const std::filesystem::path& worker, const std::filesystem::path& folder,
               const std::vector<std::string>& wrap, std::ostream& out);

}  // namespace assay::launch
