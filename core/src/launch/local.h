// Runs workers as processes of this machine, at most so many at once; one that fails takes nothing else down.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "launch/job.h"
#include "launch/progress.h"

namespace assay {

struct LaunchOptions {
  std::filesystem::path worker;      // the program
  std::filesystem::path experiment;  // results/<experiment>
  std::filesystem::path plan;        // this controller's own plan lines
  int jobs = 1;                      // at most so many at once
  bool fail_fast = false;            // the first failure stops the rest
};

struct LaunchSummary {
  size_t done = 0, failed = 0, cancelled = 0, elsewhere = 0;
  size_t not_started = 0;
  bool interrupted = false;  // by Ctrl-C or a signal
};

// Cores of this machine divided by what the most demanding run asks; at least 1.
int default_jobs(const std::vector<Job>& jobs, int cores);

// Starts the jobs in order and waits for all. The first SIGINT, SIGTERM or SIGHUP asks the workers to stop (SIGTERM)
// and starts no more; the second kills them. Throws UserError when the worker cannot be started at all.
LaunchSummary launch(const std::vector<Job>& jobs, const std::vector<nlohmann::json>& plan,
                     const LaunchOptions& options, Progress& progress);

}  // namespace assay
