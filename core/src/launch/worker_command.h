// The command line and environment of a run's worker, and what the exit of what was started says of the worker.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/process.h"
#include "launch/job.h"

namespace assay::launch {

struct WorkerFiles {
  std::filesystem::path worker;      // the program
  std::filesystem::path experiment;  // results/<experiment>
  std::filesystem::path plan;        // plan lines, the run's among them
};

struct WorkerCommand {
  std::vector<std::string> words;
  std::map<std::string, std::string> environment;
};

// concurrent: runs at once, for the record. gpus: what CUDA may see; none: as it is.
WorkerCommand worker_command(const Job& job, const nlohmann::json& plan_line, const WorkerFiles& files,
                             size_t concurrent, const std::vector<std::string>& gpus);

// mpirun, where one of its processes was killed, exits with 128 and the signal.
base::ExitStatus of_worker(base::ExitStatus status, const nlohmann::json& plan_line);

}  // namespace assay::launch
