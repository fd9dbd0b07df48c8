// What of an experiment has been given to Slurm: a folder a job array, slurm/<name>/, with its own plan (plan.jsonl),
// its script (job.sh), what its tasks say (<index>.txt), which of them were cancelled (<index>.cancelled) and job.json.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "record/layout.h"
#include "record/run_status.h"

namespace assay::launch {

struct SlurmJob {
  std::filesystem::path folder;
  std::string name;               // the job's in Slurm, of this array alone
  std::string id;                 // empty until sbatch has answered, and for good when its caller died before
  std::vector<std::string> runs;  // train ids; a task's index is the place here

  std::filesystem::path plan() const { return folder / "plan.jsonl"; }
  std::filesystem::path script() const { return folder / "job.sh"; }
  std::filesystem::path output(size_t index) const { return folder / (std::to_string(index) + ".txt"); }
  // Is there when somebody took that task off Slurm, which its signal does not tell from the machine's own wish.
  std::filesystem::path cancelled(size_t index) const { return folder / (std::to_string(index) + ".cancelled"); }
};

// A new name and folder; nothing is written yet.
SlurmJob new_slurm_job(const record::ExperimentLayout& experiment);
void write_slurm_job(const SlurmJob& job);  // job.json, atomically
SlurmJob read_slurm_job(const std::filesystem::path& folder);
std::vector<SlurmJob> slurm_jobs(const record::ExperimentLayout& experiment);  // by name

struct OnSlurm {
  enum class State { kWaits, kRuns, kGone } state = State::kGone;
  std::string task;                      // "12_3"; of one that is gone, empty
  std::filesystem::path output;          // what its latest attempt said
  std::filesystem::path cancelled = {};  // the mark that this task was
};
// Every run that was submitted, by train id: what waits or runs counts before what is gone. One squeue, and none
// where nothing was ever submitted.
std::map<std::string, OnSlurm> runs_on_slurm(const record::ExperimentLayout& experiment);

// How a run stands by its own files and, where they do not settle it, by what Slurm has: what waits there is queued,
// one that is gone before it began was cancelled, and one that is gone without a message has failed.
record::RunStatusNow with_slurm(record::RunStatusNow now, const record::RunLayout& run, const OnSlurm& on_slurm);

// Takes the experiment's runs that wait or run there off Slurm; how many. Those that waited say so in their state, and
// those that run end as cancelled ones.
size_t cancel_on_slurm(const record::ExperimentLayout& experiment);

}  // namespace assay::launch
