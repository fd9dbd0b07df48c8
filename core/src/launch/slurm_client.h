// The programs of a Slurm cluster, each answer as a value. UserError, with the program's own words, when one fails.
#pragma once

#include <string>
#include <vector>

namespace assay::launch::slurm {

// Indices of a job array are below this; 0 where there are no arrays.
long max_array_size();

// Whether srun can start processes of MPI by PMIx, which is what Debian's Open MPI speaks.
bool has_pmix();

// sbatch on a script; the job's id.
std::string submit(const std::vector<std::string>& options, const std::string& script);

struct Task {
  std::string job_name;
  std::string job;       // id of the array
  long index = 0;        // in the array
  bool running = false;  // or ending; else it waits
};
// One squeue for all jobs of these names: tasks that wait, run or are ending. Those that are done are not there.
std::vector<Task> queue(const std::vector<std::string>& job_names);
std::vector<Task> parse_queue(const std::string& text);  // lines of name|job|index|state

// Jobs ("12") and tasks ("12_3") out of the queue; what runs gets SIGTERM, and SIGKILL when it takes too long.
void cancel(const std::vector<std::string>& jobs);

// What scontrol says of a task of an array; empty where it says nothing.
std::string show_job(const std::string& task);
// Whether by that text the task is being ended, or was, because somebody cancelled it and not because it is preempted.
// restarts: how often it had been started again when it began (SLURM_RESTART_COUNT).
bool was_cancelled(const std::string& job, long restarts);
// Whether a task of an array runs and is not being ended: false for one that is cancelled, or that Slurm requeues.
bool runs_on(const std::string& task);
void requeue(const std::string& task);

}  // namespace assay::launch::slurm
