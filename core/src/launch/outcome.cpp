#include "launch/outcome.h"

#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "assay/error.h"
#include "record/state.h"

namespace assay {
namespace {

constexpr size_t kShownLines = 8;
constexpr std::uintmax_t kReadBytes = 1 << 14;

std::vector<std::string> last_lines(const std::filesystem::path& log, std::uintmax_t begin) {
  std::error_code absent;
  const auto size = std::filesystem::file_size(log, absent);
  if (absent || size <= begin) return {};
  const bool cut = size - begin > kReadBytes;
  std::ifstream stream(log, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(cut ? size - kReadBytes : begin));
  std::vector<std::string> lines;
  std::string line;
  if (cut) std::getline(stream, line);  // most likely the end of a longer line
  while (std::getline(stream, line))
    if (line.find_first_not_of(" \t\r-") != std::string::npos)
      lines.push_back(line);  // mpirun draws lines around words
  if (lines.size() > kShownLines) lines.erase(lines.begin(), lines.end() - kShownLines);
  return lines;
}

std::string how_it_ended(const ExitStatus& status) {
  if (!status.signal) return fmt::format("exit code {}", status.code.value_or(-1));
  auto text = "killed by " + signal_name(*status.signal);
  if (*status.signal == SIGKILL) text += " (out of memory, or by hand)";
  return text;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Before::Before(const RunLayout& run) : events(run.events(), EventTail::From::kEnd), state(read_state(run.state())) {
  std::error_code absent;
  const auto size = std::filesystem::file_size(run.log(), absent);
  if (!absent) log_size = size;
}

Ending settle(const Job& job, const ExitStatus& status, pid_t worker, bool has_records, bool asked_to_stop,
              Before& before) {
  if (status.code == kClaimedElsewhere && !asked_to_stop)
    return {Outcome::kElsewhere, "another process runs it", "", {}};
  if (status.code == 0 && has_records) return {};
  Ending ending{Outcome::kFailed, "", "", last_lines(job.run.log(), before.log_size)};
  int attempt = 0;
  for (const auto& event : before.events.poll()) {
    attempt = event["attempt"];
    if (event["type"] != "error") continue;
    ending.reason = first_line(event.value("text", std::string()));
    ending.failure_class = event.value("class", std::string());
  }
  auto state = read_state(job.run.state());
  const bool told = state && state != before.state;  // by this worker
  const bool workers_word = told && (state->status == "failed" || state->status == "cancelled");
  if (workers_word) {
    if (!state->reason.empty()) ending.reason = state->reason;
    if (!state->failure_class.empty()) ending.failure_class = state->failure_class;
  }
  const bool cancelled = asked_to_stop && (!workers_word || state->status == "cancelled") && ending.reason.empty();
  if (cancelled || (workers_word && state->status == "cancelled")) {
    ending.outcome = Outcome::kCancelled;
    ending.failure_class.clear();
    if (ending.reason.empty()) ending.reason = "stopped before it was done";
  } else if (ending.reason.empty()) {
    if (status.signal)
      ending.reason = how_it_ended(status);
    else if (status.code == 0)
      ending.reason = "the worker ended well but left no complete record";
    else
      ending.reason = ending.log_lines.empty() ? how_it_ended(status) : ending.log_lines.back();
  }
  if (ending.outcome == Outcome::kFailed && ending.failure_class.empty())
    ending.failure_class = status.signal ? "signal" : "bug";  // a failure of ours or of the user's is always told

  if (!told) {
    const int known = state ? state->attempt : 1;
    state.emplace().attempt = std::max(attempt, known);
  }
  state->status = ending.outcome == Outcome::kCancelled ? "cancelled" : "failed";
  state->pid = worker;
  state->exit_code = status.code;
  state->signal = status.signal;
  state->reason = ending.reason;
  state->failure_class = ending.failure_class;
  try {
    write_state(job.run.state(), *state);
  } catch (const UserError& error) {  // a full disk must not end the sweep
    ending.untold = error.what();
  }
  return ending;
}

}  // namespace assay
