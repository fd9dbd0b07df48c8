// The programs of a Slurm cluster, with each response as a value. Throws UserError, with the program's own message,
// when one fails.
#pragma once

#include <string>
#include <vector>

namespace assay::launch::slurm {

// Indices of a job array are below this; 0 where there are no arrays.
long max_array_size();

// Whether srun can start MPI processes by PMIx, which Debian's Open MPI supports.
bool has_pmix();

// Submits a script with sbatch; returns the job's id.
std::string submit(const std::vector<std::string>& options, const std::string& script);

struct Task {
  std::string job_name;
  std::string job;       // id of the job array
  long index = 0;        // index in the array
  bool running = false;  // running or ending; otherwise pending
};
// One squeue for all jobs of these names: the tasks that are pending, running or ending. Completed tasks are not
// listed.
std::vector<Task> queue(const std::vector<std::string>& job_names);
std::vector<Task> parse_queue(const std::string& text);  // text: lines of name|job|index|state

// Removes jobs ("12") and tasks ("12_3") from the queue; a running one gets SIGTERM, and SIGKILL if it takes too long.
void cancel(const std::vector<std::string>& jobs);

// The output of scontrol for a task of an array; empty if there is none.
std::string show_job(const std::string& task);
// Whether that text shows that a user cancelled the task, as opposed to a preemption. restarts: how often it had been
// restarted when it began (SLURM_RESTART_COUNT).
bool was_cancelled(const std::string& job, long restarts);
// Whether a task of an array runs and is not ending: false for a task that is cancelled, or that Slurm requeues.
bool is_running(const std::string& task);
void requeue(const std::string& task);

}  // namespace assay::launch::slurm
