#include "base/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "assay/error.h"

extern char** environ;

namespace assay::base {
namespace {

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> merged;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text = *entry;
    if (!added.count(std::string(text.substr(0, text.find('='))))) merged.emplace_back(text);
  }
  for (const auto& [name, value] : added) merged.push_back(name + "=" + value);
  return merged;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (const auto& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

}  // namespace

Process::Process(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment,
                 const std::filesystem::path& log, const std::vector<int>& inherited) {
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  // Onto itself: that takes close-on-exec away, in the child alone.
  for (const int descriptor : inherited) posix_spawn_file_actions_adddup2(&files, descriptor, descriptor);

  const auto variables = merged_environment(environment);
  const int failed = posix_spawnp(&id_, command.at(0).c_str(), &files, &attributes, pointers(command).data(),
                                  pointers(variables).data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (failed) throw UserError(command[0] + ": cannot be started: " + strerror(failed));
}

std::optional<ExitStatus> Process::poll() {
  int status = 0;
  pid_t answer = 0;
  do answer = ::waitpid(id_, &status, WNOHANG);
  while (answer < 0 && errno == EINTR);
  if (answer == 0) return std::nullopt;
  if (answer < 0) throw Bug("waitpid of a worker: " + std::string(strerror(errno)));
  if (WIFSIGNALED(status)) return ExitStatus{std::nullopt, WTERMSIG(status)};
  return ExitStatus{WEXITSTATUS(status), std::nullopt};
}

void Process::send(int signal) const { ::kill(-id_, signal); }

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name ? "SIG" + std::string(name) : "signal " + std::to_string(signal);
}

}  // namespace assay::base
