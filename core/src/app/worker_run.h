// One run of a plan with its lock, state, events and records.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "loader/registry.h"

namespace assay {

struct WorkerRun {
  std::string plan;
  std::string run;  // the beginning of its id
  std::string results;
  bool processes = false;  // mpirun started this one, as one of the run's ranks
  std::int64_t until = 0;  // stop in good order when so many steps are done; 0: go on to the end
};

// Exit code: 0 done, 1 failed (state.json says why), 2 no such run, kExitStopped and kExitClaimed of record/state.h.
int worker_run(const WorkerRun& request);

// The components that a plan line names, each from the file that was planned. UserError when one has changed since.
Registry registry_of(const nlohmann::json& plan_line);

// Every file or folder that this part of a plan line names is the one that its identity was made from, or a UserError.
void check_paths(const nlohmann::json& part);

// Build id of libassay_run, which holds all that decides a run's numbers besides the plugins.
std::string training_code();

}  // namespace assay
