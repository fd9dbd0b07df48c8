// One run of a plan with its lock, state, events and records.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace assay {

struct WorkerRun {
  std::string plan, train_id, results;
};

// Exit code: 0 done, 1 failed (state.json says why), 2 no such run, 75 claimed by another process.
int worker_run(const WorkerRun& request);

// The plugin files that a plan line names. UserError when one is no longer the file that was planned.
std::vector<std::filesystem::path> files_of(const nlohmann::json& plan_line);

// Every file or folder that this part of a plan line names is the one that its identity was made from, or a UserError.
void check_paths(const nlohmann::json& part);

// Build id of libassay_run, which holds all that decides a run's numbers besides the plugins.
std::string training_code();

}  // namespace assay
