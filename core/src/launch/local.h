// Runs workers as processes of this machine, as many at once as there are cores for; one that fails takes nothing else
// down.
#pragma once

#include <chrono>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "launch/job.h"
#include "launch/progress.h"
#include "launch/slots.h"
#include "launch/worker_command.h"

namespace assay::launch {

struct LaunchOptions {
  WorkerFiles files;
  // At most so many at once, which share what cores and GPUs there are for the first; 0: as many as get their own.
  int jobs = 0;
  bool exclusive = false;           // one at a time, with every core and GPU
  bool fail_fast = false;           // the first failure stops the rest
  int retries = 0;                  // of a run whose failure may be an accident
  std::chrono::seconds timeout{0};  // of an attempt; 0: none
};

struct LaunchSummary {
  size_t done = 0, failed = 0, cancelled = 0, preempted = 0, elsewhere = 0;
  size_t not_started = 0;
  int signal = 0;  // the first that asked to stop; 0: none
  std::set<std::string> failed_ids, elsewhere_ids;
};

// From a request to stop because of --timeout, upon which a worker saves its state, to the kill: a quarter of the
// timeout, at least 5 s and at most 60 s.
std::chrono::seconds grace_of(std::chrono::seconds timeout);

// Cores of this machine divided by what the most demanding run asks; at least 1.
int default_jobs(const std::vector<Job>& jobs, int cores);

// Starts the jobs in order and waits for all. The first SIGINT or SIGUSR1 (cancel) or SIGTERM, SIGHUP or SIGUSR2
// (preempt) asks the workers to stop, by SIGUSR1 or SIGUSR2, and starts no more; the second kills them. Throws
// UserError when the worker cannot be started at all.
LaunchSummary launch(const std::vector<Job>& jobs, const std::vector<nlohmann::json>& plan,
                     const LaunchOptions& options, SlotPool& slots, Progress& progress);

}  // namespace assay::launch
