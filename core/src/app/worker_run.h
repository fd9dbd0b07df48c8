// Executes one run of a plan, with its lock, state, events and records.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/branch.h"

namespace assay::app {

struct WorkerRun {
  std::string plan;
  std::string run;  // the beginning of its id
  std::string results;
  bool processes = false;                     // mpirun started this process as one of the run's ranks
  std::int64_t until = 0;                     // checkpoint and exit after this step; 0: run to the end
  std::vector<record::Branch> branches = {};  // runs of the plan that continue this one
};

// Exit code: 0 done, 1 failed (reason in state.json), 2 no such run, kExitStopped and kExitClaimed of record/state.h.
int worker_run(const WorkerRun& request);

}  // namespace assay::app
