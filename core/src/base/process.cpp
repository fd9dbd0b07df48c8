#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <string_view>
#include <thread>
#include <utility>

extern char** environ;

namespace assay::base {
namespace {

using Clock = std::chrono::steady_clock;

// An open file of this process. A child inherits it only where ProcessOptions names it.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  int number() const { return number_; }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_;
};

// Throws CannotStart, as if the child had failed to open it.
int opened(const std::string& program, const std::filesystem::path& file, int flags) {
  const int descriptor = ::open(file.c_str(), flags | O_CLOEXEC, 0644);
  if (descriptor < 0) throw CannotStart(program, ::strerror(errno));
  return descriptor;
}

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

// True when there is something to read, or the end of the file, before the deadline.
bool readable_before(int descriptor, Clock::time_point deadline) {
  if (deadline == Clock::time_point::max()) return true;  // the read waits
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd one{descriptor, POLLIN, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(std::min<int64_t>(left, std::numeric_limits<int>::max())));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // the read reports the error
  }
}

// Calls `take` with every block of bytes up to the end of the file. False when the deadline comes first.
template <class Take>
bool read_before(int descriptor, Clock::time_point deadline, Take&& take) {
  std::array<char, 1 << 16> block;
  while (readable_before(descriptor, deadline)) {
    const auto count = ::read(descriptor, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return true;
    take(std::string_view(block.data(), static_cast<size_t>(count)));
  }
  return false;
}

// Waits for a child that may run without output until the deadline, and kills it then.
ExitStatus status_before(Process& child, Clock::time_point deadline, bool& timed_out) {
  for (;;) {
    const bool late = timed_out || Clock::now() >= deadline;
    if (late) child.send(SIGKILL);
    const bool waits = late || deadline == Clock::time_point::max();
    if (const auto status = waits ? child.wait() : child.poll()) {
      timed_out |= late && status->signal == SIGKILL;
      return *status;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace

Process::Process(const std::vector<std::string>& command, const ProcessOptions& options)
    : own_group_(options.own_group) {
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  if (own_group_) {
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  if (options.input) ::posix_spawn_file_actions_adddup2(&files, *options.input, STDIN_FILENO);
  if (options.output) ::posix_spawn_file_actions_adddup2(&files, *options.output, STDOUT_FILENO);
  if (options.error) ::posix_spawn_file_actions_adddup2(&files, *options.error, STDERR_FILENO);
  // Duplicating a descriptor onto itself clears close-on-exec, in the child alone.
  for (const int descriptor : options.inherited) ::posix_spawn_file_actions_adddup2(&files, descriptor, descriptor);
  const auto variables = merged_environment(options.environment);
  const int failed = ::posix_spawnp(&id_, command.at(0).c_str(), &files, &attributes, pointers(command).data(),
                                    pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  if (failed) throw CannotStart(command[0], ::strerror(failed));
}

Process::Process(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment,
                 const std::filesystem::path& log, const std::vector<int>& inherited)
    : own_group_(true) {
  const Descriptor nothing(opened(command.at(0), "/dev/null", O_RDONLY));
  const Descriptor end_of_log(opened(command[0], log, O_WRONLY | O_CREAT | O_APPEND));
  id_ = Process(command, {.environment = environment,
                          .input = nothing.number(),
                          .output = end_of_log.number(),
                          .error = end_of_log.number(),
                          .inherited = inherited,
                          .own_group = true})
            .id();
}

std::optional<ExitStatus> Process::status(int wait_options) {
  int status = 0;
  pid_t answer = 0;
  do answer = ::waitpid(id_, &status, wait_options);
  while (answer < 0 && errno == EINTR);
  if (answer == 0) return std::nullopt;
  if (answer < 0) throw Bug("waitpid: " + std::string(::strerror(errno)));
  if (WIFSIGNALED(status)) return ExitStatus{std::nullopt, WTERMSIG(status)};
  return ExitStatus{WEXITSTATUS(status), std::nullopt};
}

std::optional<ExitStatus> Process::poll() { return status(WNOHANG); }
ExitStatus Process::wait() { return *status(0); }

void Process::send(int signal) const { ::kill(own_group_ ? -id_ : id_, signal); }

ProgramOutput run_program(const std::vector<std::string>& command, ProcessOptions options,
                          const std::function<void(const std::string&)>& on_line, Clock::time_point deadline) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw UserError("cannot make a pipe: " + std::string(::strerror(errno)));
  const Descriptor reads(ends[0]);
  Descriptor writes(ends[1]);
  options.output = writes.number();
  Process child(command, options);
  writes.close();
  ProgramOutput output;
  output.timed_out = !read_before(reads.number(), deadline, [&](std::string_view block) {
    output.text += block;
    for (size_t end; on_line && (end = output.text.find('\n')) != std::string::npos;) {
      on_line(output.text.substr(0, end));
      output.text.erase(0, end + 1);
    }
  });
  output.status = status_before(child, deadline, output.timed_out);
  return output;
}

std::optional<std::string> capture_output(const std::vector<std::string>& command, std::string* errors) {
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  // Errors go to memory and not to a second pipe, which would have to be read at the same time.
  const Descriptor aside(errors ? ::memfd_create("errors", MFD_CLOEXEC) : -1);
  ProcessOptions options;
  options.input = nothing.number();
  options.error = aside.number() >= 0 ? aside.number() : nothing.number();
  try {
    auto output = run_program(command, options);
    if (aside.number() >= 0) {
      errors->clear();
      ::lseek(aside.number(), 0, SEEK_SET);
      read_before(aside.number(), Clock::time_point::max(), [&](std::string_view block) { *errors += block; });
    }
    if (output.status.code == 0) return std::move(output.text);
  } catch (const CannotStart& error) {
    if (errors) *errors = command[0] + ": " + error.cause;
  } catch (const UserError&) {  // no pipe
  }
  return std::nullopt;
}

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name ? "SIG" + std::string(name) : "signal " + std::to_string(signal);
}

}  // namespace assay::base
