// One child process in a process group of its own.
//
// posix_spawnp rather than Boost.Process: that version has no wait for any of several children with a time limit,
// leaves the signal mask and the terminal's process group to the child, and its wait_for is documented as unreliable.
// All that is needed here is six calls.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace assay::base {

struct ExitStatus {
  std::optional<int> code;    // of a child that exited
  std::optional<int> signal;  // of a child that was killed
};

class Process {
 public:
  // A program without a folder is looked for on PATH. Standard output and error are appended to `log`, standard input
  // is empty. `environment` is added to ours. The child starts with no signal blocked, and a Ctrl-C of the terminal
  // does not reach it. It inherits these descriptors besides. Throws UserError when it cannot start.
  Process(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment,
          const std::filesystem::path& log, const std::vector<int>& inherited = {});

  pid_t id() const { return id_; }
  // Nothing while it runs. After an answer, call neither again.
  std::optional<ExitStatus> poll();
  // To the child and its descendants that stayed in its group.
  void send(int signal) const;

 private:
  pid_t id_ = 0;
};

// "SIGKILL" for 9, "signal 99" for a number without a name.
std::string signal_name(int signal);

}  // namespace assay::base
