#include "launch/local.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <list>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "launch/process.h"
#include "launch/signals.h"
#include "record/plan_lines.h"

namespace assay {
namespace {

constexpr std::chrono::milliseconds kTick{200};

// Threads are part of what makes two runs byte-equal, so they are set before exec and never left to defaults. Binding
// is off: every worker would bind to the same first cores.
std::map<std::string, std::string> worker_environment(const Job& job, size_t concurrent) {
  const auto threads = std::to_string(job.threads);
  return {{"OMP_NUM_THREADS", threads}, {"MKL_NUM_THREADS", threads}, {"OMP_DYNAMIC", "FALSE"},
          {"MKL_DYNAMIC", "FALSE"},     {"OMP_PROC_BIND", "FALSE"},   {"ASSAY_JOBS", std::to_string(concurrent)}};
}

nlohmann::json mesh_of(const nlohmann::json& line) {
  return line.value("resources", nlohmann::json::object()).value("mesh", nlohmann::json::object());
}

// Ranks with a GPU each are threads on one host, and processes where mpirun is told of hosts.
bool has_processes(const nlohmann::json& mesh) {
  const auto backend = mesh.value("backend", "");
  return backend == "mpi" || (backend == "nccl" && mesh.contains("mpirun"));
}

// Of a run whose ranks are processes: what starts them, on the hosts that the user's own arguments name.
std::vector<std::string> mpirun(const nlohmann::json& mesh, const std::map<std::string, std::string>& environment) {
  const int ranks = mesh.at("tensor").get<int>() * mesh.at("data").get<int>();
  std::vector<std::string> command{"mpirun", "-n", std::to_string(ranks)};
  for (const auto& [name, value] : environment) {
    command.emplace_back("-x");
    command.push_back(name);
  }
  for (const auto& word : mesh.value("mpirun", nlohmann::json::array())) command.push_back(word.get<std::string>());
  return command;
}

// mpirun, where one of its processes was killed, exits with 128 and the signal.
ExitStatus of_worker(ExitStatus status, const nlohmann::json& line) {
  constexpr int kKilled = 128, kMostSignals = 64;
  if (!has_processes(mesh_of(line)) || !status.code || *status.code <= kKilled || *status.code > kKilled + kMostSignals)
    return status;
  return {std::nullopt, *status.code - kKilled};
}

struct Worker {
  const Job& job;
  const nlohmann::json& line;
  Before before;  // measured before the process starts
  Process process;
};

class Launcher {
 public:
  Launcher(const std::vector<Job>& jobs, const std::vector<nlohmann::json>& plan, const LaunchOptions& options,
           Progress& progress)
      : jobs_(jobs), plan_(plan), options_(options), progress_(progress) {}

  LaunchSummary run() {
    SignalQueue signals;
    try {
      while (next_ < jobs_.size() || !workers_.empty()) {
        while (!stopping_ && next_ < jobs_.size() && workers_.size() < static_cast<size_t>(options_.jobs)) start_next();
        if (workers_.empty()) break;
        const int signal = signals.wait(kTick);
        if (signal != 0 && signal != SIGCHLD) interrupt();
        reap();
        progress_.update(Progress::Clock::now());
      }
    } catch (...) {
      for (auto& worker : workers_) worker.process.send(SIGKILL);
      throw;
    }
    summary_.not_started = jobs_.size() - next_;
    return summary_;
  }

 private:
  void start_next() {
    const auto& job = jobs_[next_];
    const auto& line = plan_[next_];
    ++next_;
    progress_.started(job, Progress::Clock::now());  // before the worker, whose first event may come at once
    const auto concurrent = std::min(jobs_.size(), static_cast<size_t>(options_.jobs));
    std::vector<std::string> command{
        options_.worker.string(),    "run", "--plan", options_.plan.string(), "--run", job.train_id, "--results",
        options_.experiment.string()};
    auto environment = worker_environment(job, concurrent);
    if (const auto mesh = mesh_of(line); has_processes(mesh)) {
      const auto start = mpirun(mesh, environment);
      command.insert(command.begin(), start.begin(), start.end());
      for (const char* word : {"--ranks", "processes"}) command.emplace_back(word);
      // As a user's own words may ask otherwise: more ranks than cores, and none bound to one.
      environment.emplace("OMPI_MCA_rmaps_base_oversubscribe", "1");
      environment.emplace("OMPI_MCA_hwloc_base_binding_policy", "none");
      // Open MPI asks root to say so twice; who runs a sweep as root, in a container, has said so.
      if (::geteuid() == 0)
        for (const char* name : {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"})
          environment.emplace(name, "1");
    }
    try {
      std::filesystem::create_directories(job.run.folder());
      workers_.push_back({job, line, Before(job.run), Process(command, environment, job.run.log())});
    } catch (const std::exception& error) {  // no room for its folder or its log
      ended(job, {Outcome::kFailed, error.what(), "user", {}});
    }
  }

  void reap() {
    for (auto worker = workers_.begin(); worker != workers_.end();) {
      const auto status = worker->process.poll();
      if (!status) {
        ++worker;
        continue;
      }
      const auto ending = settle(worker->job, of_worker(*status, worker->line), worker->process.id(),
                                 has_all_records(worker->line, worker->job.run), stopping_, worker->before);
      const auto& job = worker->job;
      worker = workers_.erase(worker);
      ended(job, ending);
    }
  }

  void ended(const Job& job, const Ending& ending) {
    progress_.ended(job, ending, Progress::Clock::now());
    if (!ending.untold.empty()) progress_.say(ending.untold);
    count(ending.outcome);
    if (ending.outcome == Outcome::kFailed && options_.fail_fast && !stopping_) {
      progress_.say("Stopping the rest: --fail-fast.");
      stop(SIGTERM);
    }
  }

  void count(Outcome outcome) {
    if (outcome == Outcome::kDone) ++summary_.done;
    if (outcome == Outcome::kFailed) ++summary_.failed;
    if (outcome == Outcome::kCancelled) ++summary_.cancelled;
    if (outcome == Outcome::kElsewhere) ++summary_.elsewhere;
  }

  void interrupt() {
    progress_.say(summary_.interrupted ? "Killing the workers." : "Stopping in good order; once more: stop now.");
    stop(summary_.interrupted ? SIGKILL : SIGTERM);
    summary_.interrupted = true;
  }

  void stop(int signal) {
    stopping_ = true;
    for (auto& worker : workers_) worker.process.send(signal);
  }

  const std::vector<Job>& jobs_;
  const std::vector<nlohmann::json>& plan_;
  const LaunchOptions& options_;
  Progress& progress_;
  std::list<Worker> workers_;
  size_t next_ = 0;
  bool stopping_ = false;
  LaunchSummary summary_;
};

}  // namespace

int default_jobs(const std::vector<Job>& jobs, int cores) {
  int most = 1;
  for (const auto& job : jobs) most = std::max(most, job.cores);
  return std::max(1, cores / most);
}

LaunchSummary launch(const std::vector<Job>& jobs, const std::vector<nlohmann::json>& plan,
                     const LaunchOptions& options, Progress& progress) {
  if (jobs.size() != plan.size()) throw Bug("launch: one plan line a job");
  if (::access(options.worker.c_str(), X_OK) != 0)
    throw UserError(options.worker.string() +
                    ": the worker program is missing or may not be executed; "
                    "it stands beside 'assay' in a complete build");
  return Launcher(jobs, plan, options, progress).run();
}

}  // namespace assay
