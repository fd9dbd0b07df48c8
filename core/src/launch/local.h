// Runs workers as processes of this machine, as many at once as there are cores for; a failing worker does not affect
// the others.
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
#include "record/plan_line/plan_line.h"

namespace assay::launch {

struct LaunchOptions {
  WorkerFiles files;
  // At most this many at once, which share the cores and GPUs if there are too few for all; 0: as many as get cores of
  // their own.
  int jobs = 0;
  bool exclusive = false;           // one at a time, with all cores and GPUs
  bool fail_fast = false;           // the first failure stops the rest
  int retries = 0;                  // per run whose failure may be accidental
  std::chrono::seconds timeout{0};  // per attempt; 0: none
};

struct LaunchSummary {
  size_t done = 0, failed = 0, cancelled = 0, preempted = 0, elsewhere = 0;
  size_t not_started = 0;
  int signal = 0;  // the first signal that requested the stop; 0: none
  std::set<std::string> failed_ids, elsewhere_ids;
};

// The time between the stop request after --timeout, upon which a worker checkpoints, and the kill: a quarter of the
// timeout, at least 5 s and at most 60 s.
std::chrono::seconds grace_period(std::chrono::seconds timeout);

// The cores of this machine divided by those of the most demanding run; at least 1.
int default_jobs(const std::vector<Job>& jobs, int cores);

// Starts the jobs in order and waits for all. The first SIGINT or SIGUSR1 (cancel) or SIGTERM, SIGHUP or SIGUSR2
// (preempt) signals the workers to stop, by SIGUSR1 or SIGUSR2, and starts no more jobs; the second kills the workers.
// Throws UserError when the worker cannot be started at all.
LaunchSummary launch(const std::vector<Job>& jobs, const std::vector<record::PlanLine>& plan,
                     const LaunchOptions& options, SlotPool& slots, Progress& progress);

}  // namespace assay::launch
