// state.json: the status of a run. The worker writes it; the controller overwrites it when the worker died without
// writing its final status.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "record/status.h"

namespace assay::record {

struct State {
  RunStatus status = RunStatus::kQueued;
  int attempt = 1;
  int pid = 0;       // of the worker
  std::string host;  // where it runs
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string reason;         // one line; empty while the run is running and when it is done
  std::string failure_class;  // see results/README.md; empty unless failed
  bool operator==(const State&) const = default;
};

// A worker's exit codes besides 0, 1 and 2.
constexpr int kExitStopped = 75;  // checkpointed and exited; the next attempt resumes from there
constexpr int kExitClaimed = 69;  // another process holds the run's lock

// Returns no value when there is no file or its content is not a valid state.
std::optional<State> read_state(const std::filesystem::path& file);

void write_state(const std::filesystem::path& file, const State& state);

}  // namespace assay::record
