// The runs of an experiment that were submitted to Slurm: one folder per job array, slurm/<name>/, with its own plan
// (plan.jsonl), its script (job.sh), the output of its tasks (<index>.txt), marks of cancelled tasks
// (<index>.cancelled) and job.json.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "record/branch.h"
#include "record/layout.h"
#include "record/run_status.h"

namespace assay::launch {

struct SlurmJob {
  std::filesystem::path folder;
  std::string name;               // name of the job in Slurm, unique to this array
  std::string id;                 // empty until sbatch responds; it remains empty if the caller died before
  std::vector<std::string> runs;  // train ids; a task's index is the index here
  // The runs that leave each of these, whose plan lines follow those of `runs` in the plan. Of a folder that was
  // written before there were any, it is empty.
  std::vector<std::vector<record::Branch>> branches = {};

  std::filesystem::path plan() const { return folder / "plan.jsonl"; }
  std::filesystem::path script() const { return folder / "job.sh"; }
  std::filesystem::path output(size_t index) const { return folder / (std::to_string(index) + ".txt"); }
  // Exists if a user cancelled that task; its signal alone does not distinguish this from a preemption.
  std::filesystem::path cancelled(size_t index) const { return folder / (std::to_string(index) + ".cancelled"); }
};

// A new name and folder; nothing is written yet.
SlurmJob new_slurm_job(const record::ExperimentLayout& experiment);
void write_slurm_job(const SlurmJob& job);  // job.json, atomically
SlurmJob read_slurm_job(const std::filesystem::path& folder);
std::vector<SlurmJob> slurm_jobs(const record::ExperimentLayout& experiment);  // sorted by name

struct SlurmTaskStatus {
  enum class State { kWaits, kRuns, kGone } state = State::kGone;
  std::string task;                      // "12_3"; empty if it is gone
  std::filesystem::path output;          // output of its latest attempt
  std::filesystem::path cancelled = {};  // the mark that this task was cancelled
};
// Every submitted run, by train id; a pending or running task counts before one that is gone. Calls squeue once, and
// not at all if nothing was ever submitted.
std::map<std::string, SlurmTaskStatus> runs_on_slurm(const record::ExperimentLayout& experiment);

// The status of a run by its own files and, if they do not decide it, by Slurm: a pending task is queued, one that is
// gone before it started was cancelled, and one that is gone without a message has failed.
record::RunStatusReport with_slurm(record::RunStatusReport now, const record::RunLayout& run,
                                   const SlurmTaskStatus& on_slurm);

// Cancels the experiment's runs that are pending or running on Slurm and returns their number. Pending runs get the
// state cancelled, and running ones write it when they end.
size_t cancel_on_slurm(const record::ExperimentLayout& experiment);

}  // namespace assay::launch
