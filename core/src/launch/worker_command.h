// The command line and environment of a run's worker, and the worker's exit status from that of the started process.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/process.h"
#include "launch/job.h"
#include "record/plan_line/plan_line.h"

namespace assay::launch {

struct WorkerFiles {
  std::filesystem::path worker;      // the program
  std::filesystem::path experiment;  // results/<experiment>
  std::filesystem::path plan;        // plan lines, including the run's
};

struct WorkerCommand {
  std::vector<std::string> words;
  std::map<std::string, std::string> environment;
};

// concurrent: the number of runs at once, for the record. gpus: the GPUs that CUDA may see; if empty, the environment
// is not changed.
WorkerCommand worker_command(const Job& job, const record::PlanLine& plan_line, const WorkerFiles& files,
                             size_t concurrent, const std::vector<std::string>& gpus);

// The status of the worker itself: if one of its processes was killed, mpirun exits with 128 plus the signal.
base::ExitStatus worker_exit_status(base::ExitStatus status, const record::PlanLine& plan_line);

}  // namespace assay::launch
