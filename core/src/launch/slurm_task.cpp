#include "launch/slurm_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>

#include "assay/error.h"
#include "base/printable.h"
#include "launch/outcome.h"
#include "launch/signals.h"
#include "launch/slurm.h"
#include "launch/slurm_client.h"
#include "launch/slurm_jobs.h"
#include "launch/worker_command.h"
#include "record/plan_line/plan_lines.h"

namespace assay::launch {
namespace {

constexpr std::chrono::seconds kPoll{1};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (!value || !*value)
    throw UserError(
        fmt::format("assay slurm-task: {} is not set; the script of a Slurm job array calls this verb", name));
  return value;
}

// Ranks that are processes are a step of the job if srun supports PMIx, otherwise processes of mpirun, which gets the
// hosts from Slurm.
WorkerCommand command_of(const record::PlanLine& line, const Job& job, const WorkerFiles& files,
                         const std::vector<std::string>& wrap) {
  const bool by_srun = line.resources.mesh.has_processes() && slurm::has_pmix();
  auto plain = line;
  if (by_srun) plain.resources.mesh.backend = "self";  // then only srun starts them
  auto command = worker_command(job, plain, files, 1, {});
  auto& words = command.words;
  words.insert(std::find(words.begin(), words.end(), files.worker.string()), wrap.begin(), wrap.end());
  if (!by_srun) return command;
  const auto shape = slurm_shape(line, false);
  std::vector<std::string> start{"srun", "--mpi=pmix", "--kill-on-bad-exit=1", fmt::format("--ntasks={}", shape.tasks),
                                 fmt::format("--cpus-per-task={}", shape.cores_per_task)};
  if (shape.gpus_per_task) start.emplace_back("--gpu-bind=none");  // ranks choose by their index on the host
  words.insert(words.begin(), start.begin(), start.end());
  words.insert(words.end(), {"--ranks", "processes"});
  return command;
}

struct WorkerEnd {
  base::ExitStatus status;
  StopRequest stop_request = StopRequest::kNone;
};

// Slurm sends the same signal for cancellation and for preemption; the mark of `assay stop` or Slurm itself
// distinguishes them. srun and mpirun forward our signal.
WorkerEnd wait_for(base::Process& worker, const std::string& task, const std::filesystem::path& cancelled,
                   SignalQueue& signals) {
  WorkerEnd worker_end;
  for (;;) {
    if (const auto status = worker.poll()) {
      worker_end.status = *status;
      return worker_end;
    }
    if (const int signal = signals.wait(kPoll); signal != 0 && signal != SIGCHLD) {
      const char* const restarts = std::getenv("SLURM_RESTART_COUNT");
      const bool by_user = std::filesystem::exists(cancelled) ||
                           slurm::was_cancelled(slurm::show_job(task), restarts ? std::atol(restarts) : 0);
      worker_end.stop_request = by_user ? StopRequest::kCancel : StopRequest::kPreempt;
      worker.send(worker_end.stop_request == StopRequest::kCancel ? SIGUSR1 : SIGUSR2);
    }
  }
}

}  // namespace

int slurm_task(const std::filesystem::path& worker, const std::filesystem::path& folder,
               const std::vector<std::string>& wrap, std::ostream& out) {
  SignalQueue signals;  // an early signal waits for the worker
  const auto index = variable("SLURM_ARRAY_TASK_ID");
  const auto task = variable("SLURM_ARRAY_JOB_ID") + "_" + index;
  const auto array = read_slurm_job(folder);
  const record::ExperimentLayout experiment(folder.parent_path().parent_path());
  size_t place = array.runs.size();
  std::from_chars(index.data(), index.data() + index.size(), place);
  const auto plan = record::read_plan_lines(array.plan());
  if (place >= array.runs.size() || plan.size() < array.runs.size())
    throw UserError(fmt::format("{}: the job array has no run for task {}", folder.string(), index));
  const auto& line = plan[place];
  auto job = job_of(line, experiment);
  if (place < array.branches.size()) job.branches = array.branches[place];
  if (record::has_all_records(line, job.run)) {
    out << "done   " << job.name << ": its records already exist\n";
    return 0;
  }

  out << "start  " << job.name << "\n" << std::flush;
  std::filesystem::create_directories(job.run.folder());
  FilesBeforeAttempt before(job.run);
  const auto command = command_of(line, job, {worker, experiment.folder(), array.plan()}, wrap);
  base::Process process(command.words, command.environment, job.run.log());
  const auto worker_end = wait_for(process, task, array.cancelled(place), signals);
  const auto ending = record_ending(job, worker_exit_status(worker_end.status, line), process.id(),
                                    record::has_all_records(line, job.run), worker_end.stop_request, before);
  if (ending.status == record::RunStatus::kDone) {
    out << "done   " << job.name << "\n";
    return 0;
  }
  out << (ending.status == record::RunStatus::kFailed ? "FAILED " : "stop   ") << job.name << ": "
      << base::printable(ending.reason) << "\n";
  for (const auto& one : ending.log_lines) out << "       | " << base::printable_lines(one) << "\n";
  if (!ending.state_error.empty()) out << ending.state_error << "\n";
  out << std::flush;
  if (ending.status == record::RunStatus::kFailed) return 1;
  if (worker_end.stop_request == StopRequest::kPreempt && slurm::is_running(task)) {
    out << "       The task is requeued.\n" << std::flush;  // before Slurm ends this process
    slurm::requeue(task);
  }
  return ending.status == record::RunStatus::kRunning ? 0 : record::kExitStopped;
}

}  // namespace assay::launch
