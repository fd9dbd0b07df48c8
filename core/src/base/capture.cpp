#include "base/capture.h"

#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

extern char** environ;

namespace assay::base {
namespace {

std::string read_to_end(int descriptor) {
  std::string text;
  std::array<char, 1 << 14> block{};
  for (ssize_t count = 0; (count = ::read(descriptor, block.data(), block.size())) != 0;) {
    if (count > 0) text.append(block.data(), static_cast<size_t>(count));
    if (count < 0 && errno != EINTR) break;
  }
  ::close(descriptor);
  return text;
}

}  // namespace

std::optional<std::string> capture_output(const std::vector<std::string>& command, std::string* errors) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  // Memory rather than a second pipe: nobody has to read both at once.
  const int aside = errors ? ::memfd_create("errors", MFD_CLOEXEC) : -1;
  if (aside >= 0)
    ::posix_spawn_file_actions_adddup2(&actions, aside, STDERR_FILENO);
  else
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  const auto output = read_to_end(ends[0]);
  int status = 0;
  while (!failed && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (aside >= 0) {
    ::lseek(aside, 0, SEEK_SET);
    *errors = read_to_end(aside);
  }
  if (failed && errors) *errors = command[0] + ": " + ::strerror(failed);
  if (failed || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
  return output;
}

}  // namespace assay::base
