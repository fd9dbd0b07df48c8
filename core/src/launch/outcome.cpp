#include "launch/outcome.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "base/files.h"
#include "record/hook_file.h"
#include "record/state.h"

namespace assay::launch {
using record::RunStatus;

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
  if (cut) std::getline(stream, line);  // probably the end of a longer line
  while (std::getline(stream, line))
    if (line.find_first_not_of(" \t\r-") != std::string::npos) lines.push_back(line);  // mpirun prints separator lines
  if (lines.size() > kShownLines) lines.erase(lines.begin(), lines.end() - kShownLines);
  return lines;
}

// by_launcher: the launcher killed it because it did not stop on request.
std::string ending_text(const base::ExitStatus& status, bool out_of_memory, bool by_launcher = false) {
  if (!status.signal) return fmt::format("exit code {}", status.code.value_or(-1));
  if (by_launcher && *status.signal == SIGKILL) return "it did not stop on request and was killed";
  auto text = "killed by " + base::signal_name(*status.signal);
  if (out_of_memory) return text + ": this machine ran out of memory";
  if (*status.signal == SIGKILL) text += " (out of memory, or sent by a user)";
  return text;
}

// The hook files of all processes of a run's workers that died without a message, with the time when each process
// started.
HookFiles hook_files(const record::RunLayout& run) {
  const auto name = run.hooks().filename().string();
  HookFiles files;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(run.folder(), absent)) {
    const auto own = entry.path().filename().string();
    if (own != name && !own.starts_with(name + ".")) continue;
    const auto time = entry.last_write_time(absent);
    if (!absent) files.emplace(entry.path(), time);
  }
  return files;
}

// "it was in plugin .." for the dead processes of a run, whose files are removed; which of several threads ended the
// process is not known. Empty if none was in a hook.
std::string last_hooks(const record::RunLayout& run, const FilesBeforeAttempt& before) {
  std::vector<std::string> all;
  for (const auto& file : hook_files(run)) {
    if (!before.hooks.count(file))
      for (auto& hook : record::hooks_in(file.first))
        if (std::find(all.begin(), all.end(), hook) == all.end()) all.push_back(std::move(hook));
    std::error_code ignored;
    std::filesystem::remove(file.first, ignored);
  }
  if (all.size() > 1) return fmt::format("its threads were in {}", fmt::join(all, " and in "));
  return all.empty() ? "" : "it was in " + all.front();
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string read_vmstat() { return base::read_if_there("/proc/vmstat"); }

bool is_stop(RunStatus status) {
  return status == RunStatus::kCancelled || status == RunStatus::kPreempted || status == RunStatus::kPaused;
}

}  // namespace

std::uint64_t oom_kills(std::string_view vmstat) {
  constexpr std::string_view kKey = "\noom_kill ";
  const auto found = vmstat.find(kKey);
  std::uint64_t count = 0;
  if (found != std::string_view::npos)
    std::from_chars(vmstat.data() + found + kKey.size(), vmstat.data() + vmstat.size(), count);
  return count;
}

FilesBeforeAttempt::FilesBeforeAttempt(const record::RunLayout& run)
    : events(run.events(), record::EventTail::From::kEnd),
      state(record::read_state(run.state())),
      oom_kills(assay::launch::oom_kills(read_vmstat())),
      hooks(hook_files(run)) {
  std::error_code absent;
  const auto size = std::filesystem::file_size(run.log(), absent);
  if (!absent) log_size = size;
}

Ending record_ending(const Job& job, const base::ExitStatus& status, pid_t worker, bool has_records,
                     StopRequest stop_request, FilesBeforeAttempt& before, const Timeout& timeout) {
  if (status.code == record::kExitClaimed) return {RunStatus::kRunning, "another process runs it", "", {}};
  if (status.code == 0 && has_records) return {};
  Ending ending{RunStatus::kFailed, "", "", last_lines(job.run.log(), before.log_size)};
  ending.killed = status.signal.has_value();
  int attempt = 0;
  for (const auto& event : before.events.poll()) {
    attempt = event["attempt"];
    if (event["type"] != "error") continue;
    ending.reason = first_line(event.value("text", std::string()));
    ending.failure_class = event.value("class", std::string());
  }
  auto state = record::read_state(job.run.state());
  const bool state_written = state && state != before.state;  // written by this worker
  const bool recorded_failure = state_written && state->status == RunStatus::kFailed;
  const bool recorded_stop = state_written && is_stop(state->status);
  if (recorded_failure || recorded_stop) {
    if (!state->reason.empty()) ending.reason = state->reason;
    if (!state->failure_class.empty()) ending.failure_class = state->failure_class;
  }
  const bool out_of_memory = status.signal == SIGKILL && oom_kills(read_vmstat()) > before.oom_kills;
  const bool unreported = !recorded_failure && ending.reason.empty();  // it died without a message
  const auto hooks = last_hooks(job.run, before);
  const auto where = hooks.empty() ? "" : "; " + hooks;
  if (stop_request == StopRequest::kTimeout && (recorded_stop || unreported)) {
    ending.reason = fmt::format("exceeded --timeout {}; ", timeout.length) +
                    (recorded_stop ? ending.reason : ending_text(status, out_of_memory, timeout.killed) + where);
    ending.failure_class = out_of_memory && !timeout.killed ? "out_of_memory" : "timeout";
  } else if (recorded_stop || (unreported && stop_request != StopRequest::kNone)) {
    ending.status = stop_request == StopRequest::kCancel    ? RunStatus::kCancelled
                    : stop_request == StopRequest::kPreempt ? RunStatus::kPreempted
                                                            : state->status;
    ending.failure_class.clear();
    if (ending.reason.empty()) ending.reason = "stopped before completion";
  } else if (unreported && status.signal == SIGTERM) {  // before the worker handled the signal
    ending.status = RunStatus::kPreempted;
    ending.reason = ending_text(status, false);
  } else if (ending.reason.empty()) {
    if (status.signal) {
      ending.reason = ending_text(status, out_of_memory) + where;
    } else if (!hooks.empty()) {
      ending.reason = fmt::format("the process ended with {}", ending_text(status, false)) + where;
      ending.failure_class = "plugin";
    } else if (status.code == 0) {
      ending.reason = "the worker exited with code 0 but wrote no complete record";
    } else {
      ending.reason = ending.log_lines.empty() ? ending_text(status, false) : ending.log_lines.back();
      if (status.code == 2) ending.failure_class = "user";  // the worker refused to start
    }
  }
  if (ending.status == RunStatus::kFailed &&
      ending.failure_class.empty())  // a worker always reports its own errors and those of the user
    ending.failure_class = out_of_memory ? "out_of_memory" : status.signal ? "signal" : "bug";

  if (!state_written) {
    const int known = state ? state->attempt : 1;
    state.emplace().attempt = std::max(attempt, known);
  }
  state->status = ending.status;
  state->pid = worker;
  state->exit_code = status.code;
  state->signal = status.signal;
  state->reason = ending.reason;
  state->failure_class = ending.failure_class;
  try {
    record::write_state(job.run.state(), *state);
  } catch (const UserError& error) {  // a full disk must not end the sweep
    ending.state_error = error.what();
  }
  return ending;
}

bool may_succeed_on_retry(const Ending& ending) {
  if (ending.status != RunStatus::kFailed) return false;
  const auto& failure = ending.failure_class;
  return failure == "signal" || failure == "timeout" || failure == "lost" ||
         (failure == "out_of_memory" && ending.killed);
}

}  // namespace assay::launch
