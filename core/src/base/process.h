// Child processes: the one place of the core that starts programs. No shell is in between, so any argument is safe.
//
// posix_spawnp rather than Boost.Process: that version has no wait for any of several children with a time limit,
// leaves the signal mask and the terminal's process group to the child, and its wait_for is documented as unreliable.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "assay/error.h"

namespace assay::base {

struct ExitStatus {
  std::optional<int> code;    // if the child exited
  std::optional<int> signal;  // if the child was killed
};

struct CannotStart : UserError {
  CannotStart(const std::string& program, const std::string& why)
      : UserError(program + ": cannot be started: " + why), cause(why) {}
  std::string cause;  // as the system names it
};

// How a child starts; a field that is not given is inherited from this process.
struct ProcessOptions {
  std::map<std::string, std::string> environment = {};     // variables in addition to ours
  std::optional<int> input = {}, output = {}, error = {};  // descriptors of its standard streams
  std::vector<int> inherited = {};                         // further descriptors that it keeps
  // The child gets a process group of its own, which a Ctrl-C of the terminal does not reach, blocks no signal and
  // ignores none.
  bool own_group = false;
};

// One child process.
class Process {
 public:
  // A program without a folder is looked for on PATH. Throws CannotStart.
  Process(const std::vector<std::string>& command, const ProcessOptions& options);
  // In a group of its own. Standard output and error are appended to `log`, standard input is empty.
  Process(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment,
          const std::filesystem::path& log, const std::vector<int>& inherited = {});

  pid_t id() const { return id_; }
  // Nothing while it runs. After an answer, call no other function but id.
  std::optional<ExitStatus> poll();
  ExitStatus wait();
  // To the child; where it has a group of its own, to its descendants in that group as well.
  void send(int signal) const;

 private:
  std::optional<ExitStatus> status(int wait_options);
  pid_t id_ = 0;
  bool own_group_ = false;
};

struct ProgramOutput {
  std::string text;  // of its standard output, without the lines that a listener got
  ExitStatus status;
  bool timed_out = false;  // it was killed at the deadline
};

// Runs a program to its end and reads its standard output. `on_line`, where given, gets every line as it comes, without
// the line feed. A program that has not ended by the deadline is killed. Throws CannotStart.
ProgramOutput run_program(
    const std::vector<std::string>& command, ProcessOptions options = {},
    const std::function<void(const std::string&)>& on_line = {},
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max());

// The standard output of a program without input. Nothing when it cannot be started or does not exit with 0. Its
// standard error is dropped, or where it goes into `errors`, which also says why a program could not be started.
std::optional<std::string> capture_output(const std::vector<std::string>& command, std::string* errors = nullptr);

// "SIGKILL" for 9, "signal 99" for a number without a name.
std::string signal_name(int signal);

}  // namespace assay::base
