#include "launch/local.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <list>

#include "assay/error.h"
#include "base/lock.h"
#include "base/process.h"
#include "launch/gpus.h"
#include "launch/signals.h"
#include "record/plan_line/plan_lines.h"

namespace assay::launch {
namespace {

using Clock = Progress::Clock;

constexpr std::chrono::milliseconds kTick{200};

std::string text_of(std::chrono::seconds time) { return duration_text(static_cast<double>(time.count())); }

struct Worker {
  size_t index;  // index of its job
  std::shared_ptr<const Slots> slots;
  FilesBeforeAttempt before;  // measured before the process starts
  base::Process process;
  Clock::time_point started;
  StopRequest stop_request = StopRequest::kNone;
  bool killed = false;  // by this launcher
};

class Launcher {
 public:
  Launcher(const std::vector<Job>& jobs, const std::vector<record::PlanLine>& plan, const LaunchOptions& options,
           SlotPool& slots, Progress& progress)
      : jobs_(jobs), plan_(plan), options_(options), slots_(slots), progress_(progress), attempts_(jobs.size(), 0) {
    for (size_t i = 0; i < jobs.size(); ++i) queue_.push_back(i);
    if (options.exclusive)
      at_once_ = 1;
    else if (options.jobs > 0)
      at_once_ = static_cast<size_t>(options.jobs);
  }

  LaunchSummary run() {
    SignalQueue signals;
    try {
      for (;;) {
        while (!stopping_ && workers_.size() < at_once_ && start_next()) {
        }
        if (workers_.empty() && (stopping_ || queue_.empty())) break;
        const int signal = signals.wait(kTick);
        if (signal != 0 && signal != SIGCHLD) interrupt(signal);
        reap();
        stop_timed_out_workers();
        progress_.update(Clock::now());
      }
    } catch (...) {
      for (auto& worker : workers_) worker.process.send(SIGKILL);
      throw;
    }
    slots_.give_up();
    summary_.not_started = queue_.size();
    return summary_;
  }

 private:
  // Returns false if no job is ready, or the next one must wait for cores.
  bool start_next() {
    const auto next = std::find_if(queue_.begin(), queue_.end(), [&](size_t index) { return is_ready(jobs_[index]); });
    if (next == queue_.end()) return false;
    std::rotate(queue_.begin(), next, next + 1);
    const size_t index = queue_.front();
    const auto& job = jobs_[index];
    // Another controller may have run it meanwhile; a worker would find out only after a second of loading.
    if (record::has_all_records(plan_[index], job.run)) return leave({}, index);
    if (base::FileLock::is_held(job.run.lock()))
      return leave({record::RunStatus::kRunning, "another process runs it", "", {}}, index);
    const auto slots = slots_for(index);
    if (!slots) {
      if (workers_.empty() && !reported_waiting_)
        progress_.say("Waiting for cores or GPUs that other runs of this user hold.");
      reported_waiting_ = true;
      return false;
    }
    reported_waiting_ = false;
    queue_.pop_front();
    start(index, slots);
    return true;
  }

  // A branch waits until its trunk has given it its steps, or never will.
  bool is_ready(const Job& job) const {
    if (!job.trunk) return true;
    const bool trunk_is_over =
        std::find(queue_.begin(), queue_.end(), *job.trunk) == queue_.end() &&
        std::none_of(workers_.begin(), workers_.end(), [&](const Worker& one) { return one.index == *job.trunk; });
    if (trunk_is_over) return true;
    // The trunk holds the branch's lock until everything is written.
    const auto saved = record::checkpoint_steps(job.run.checkpoints());
    return !saved.empty() && saved.front() >= job.leaves_at && !base::FileLock::is_held(job.run.lock());
  }

  bool leave(const Ending& ending, size_t index) {
    queue_.pop_front();
    slots_.give_up();  // gives up the slots gathered for it
    ended(index, ending);
    return true;
  }

  std::shared_ptr<const Slots> slots_for(size_t index) {
    auto request = slot_request(plan_[index], slots_.gpus() > 0);
    if (options_.exclusive) {
      request.cores = slots_.cores();
      if (request.gpu_indices.empty()) request.gpus = slots_.gpus();
    }
    if (options_.jobs == 0 || workers_.empty()) return slots_.take(request);
    const auto least = std::min_element(workers_.begin(), workers_.end(), [](const Worker& a, const Worker& b) {
      return a.slots.use_count() < b.slots.use_count();
    });
    return slots_.take_or_share(request, least->slots);
  }

  void start(size_t index, const std::shared_ptr<const Slots>& slots) {
    const auto& job = jobs_[index];
    progress_.started(job, Clock::now());  // before the worker starts, because its first event may come at once
    auto gpus = slots->all_gpus();
    const auto request = slot_request(plan_[index], slots_.gpus() > 0);
    gpus.resize(request.gpu_indices.empty() ? std::min(gpus.size(), static_cast<size_t>(request.gpus)) : 0);
    const auto concurrent = std::min(jobs_.size(), options_.jobs == 0 && !options_.exclusive
                                                       ? static_cast<size_t>(default_jobs({job}, slots_.cores()))
                                                       : at_once_);
    const auto command = worker_command(job, plan_[index], options_.files, concurrent, gpus);
    ++attempts_[index];
    try {
      std::filesystem::create_directories(job.run.folder());
      workers_.push_back({index, slots, FilesBeforeAttempt(job.run),
                          base::Process(command.words, command.environment, job.run.log(), slots->descriptors()),
                          Clock::now()});
    } catch (const std::exception& error) {  // its folder or its log cannot be written
      ended(index, {record::RunStatus::kFailed, error.what(), "user", {}});
    }
  }

  void reap() {
    for (auto worker = workers_.begin(); worker != workers_.end();) {
      const auto status = worker->process.poll();
      if (!status) {
        ++worker;
        continue;
      }
      const auto index = worker->index;
      const auto& line = plan_[index];
      const auto ending = record_ending(jobs_[index], worker_exit_status(*status, line), worker->process.id(),
                                        record::has_all_records(line, jobs_[index].run), worker->stop_request,
                                        worker->before, {text_of(options_.timeout), worker->killed});
      workers_.erase(worker++);
      ended(index, ending);
    }
  }

  void stop_timed_out_workers() {
    if (options_.timeout.count() == 0) return;
    for (auto& worker : workers_) {
      const auto taken = Clock::now() - worker.started;
      if (worker.stop_request == StopRequest::kNone && taken > options_.timeout) {
        worker.stop_request = StopRequest::kTimeout;
        worker.process.send(SIGUSR1);
        progress_.say(
            fmt::format("       {} exceeds --timeout {}: it is signalled to stop, and killed in {} if it still runs",
                        jobs_[worker.index].name, text_of(options_.timeout), text_of(grace_period(options_.timeout))));
      } else if (taken > options_.timeout + grace_period(options_.timeout)) {  // for whatever reason it was to stop
        kill(worker);
      }
    }
  }

  static void kill(Worker& worker) {
    worker.process.send(SIGKILL);
    worker.killed = true;
  }

  void ended(size_t index, const Ending& ending) {
    const auto& job = jobs_[index];
    const bool again = !stopping_ && attempts_[index] <= options_.retries && may_succeed_on_retry(ending);
    progress_.ended(job, ending, Clock::now(), again);
    if (!ending.state_error.empty()) progress_.say(ending.state_error);
    if (again) {
      queue_.push_back(index);
      return;
    }
    count(ending.status);
    if (ending.status == record::RunStatus::kFailed) summary_.failed_ids.insert(job.train_id);
    if (ending.status == record::RunStatus::kRunning) summary_.elsewhere_ids.insert(job.train_id);
    if (ending.status == record::RunStatus::kFailed && options_.fail_fast && !stopping_) {
      progress_.say("Stopping the other runs because of --fail-fast.");
      stop(StopRequest::kCancel, SIGUSR1);
    }
  }

  void count(record::RunStatus status) {
    summary_.done += status == record::RunStatus::kDone;
    summary_.failed += status == record::RunStatus::kFailed;
    summary_.cancelled += status == record::RunStatus::kCancelled;
    summary_.preempted += status == record::RunStatus::kPreempted;
    summary_.elsewhere += status == record::RunStatus::kRunning;
  }

  void interrupt(int signal) {
    const bool again = summary_.signal != 0;
    if (!again) summary_.signal = signal;
    const bool cancels = summary_.signal == SIGINT || summary_.signal == SIGUSR1;
    stop(cancels ? StopRequest::kCancel : StopRequest::kPreempt, again ? SIGKILL : cancels ? SIGUSR1 : SIGUSR2);
    progress_.say(again ? "Killing the workers." : "Stopping after a checkpoint; repeat the signal to stop at once.");
  }

  void stop(StopRequest stop_request, int signal) {
    stopping_ = true;
    slots_.give_up();
    for (auto& worker : workers_) {
      if (worker.stop_request != StopRequest::kTimeout) worker.stop_request = stop_request;
      if (signal == SIGKILL)
        kill(worker);
      else
        worker.process.send(signal);
    }
  }

  const std::vector<Job>& jobs_;
  const std::vector<record::PlanLine>& plan_;
  const LaunchOptions& options_;
  SlotPool& slots_;
  Progress& progress_;
  std::list<Worker> workers_;
  std::deque<size_t> queue_;   // waiting jobs
  std::vector<int> attempts_;  // per job
  size_t at_once_ = SIZE_MAX;
  bool stopping_ = false;
  bool reported_waiting_ = false;
  LaunchSummary summary_;
};

}  // namespace

std::chrono::seconds grace_period(std::chrono::seconds timeout) {
  return std::clamp(timeout / 4, std::chrono::seconds(5), std::chrono::seconds(60));
}

int default_jobs(const std::vector<Job>& jobs, int cores) {
  int most = 1;
  for (const auto& job : jobs) most = std::max(most, job.cores);
  return std::max(1, cores / most);
}

LaunchSummary launch(const std::vector<Job>& jobs, const std::vector<record::PlanLine>& plan,
                     const LaunchOptions& options, SlotPool& slots, Progress& progress) {
  if (jobs.size() != plan.size()) throw Bug("launch: there must be one plan line per job");
  if (::access(options.files.worker.c_str(), X_OK) != 0)
    throw UserError(options.files.worker.string() +
                    ": the worker program is missing or not executable; a complete build has it beside 'assay'");
  return Launcher(jobs, plan, options, slots, progress).run();
}

}  // namespace assay::launch
