// state.json: how a run stands. The worker writes it; the controller overwrites it when the worker died without a word.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace assay {

struct State {
  std::string status;  // running, done, failed, cancelled
  int attempt = 1;
  int pid = 0;  // of the worker
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string reason;         // one line; empty unless failed or cancelled
  std::string failure_class;  // see results/README.md; empty unless failed
  bool operator==(const State&) const = default;
};

// Nothing when there is no file, or none that can be read as a state.
std::optional<State> read_state(const std::filesystem::path& file);

void write_state(const std::filesystem::path& file, const State& state);

}  // namespace assay
