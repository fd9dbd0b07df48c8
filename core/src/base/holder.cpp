#include "base/holder.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <string>

namespace assay::base {
namespace fs = std::filesystem;

namespace {

bool has_open(pid_t pid, const fs::path& file) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error))
    if (fs::equivalent(entry.path(), file, error)) return true;
  return false;
}

}  // namespace

bool signal_holder(pid_t pid, const fs::path& file, int signal) {
  if (pid <= 0) return false;
  // The descriptor is opened before the files are inspected: from then on it refers to this process, alive or not, and
  // never to a later process with the same id.
  const auto process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (process < 0) return false;
  const bool sent = has_open(pid, file) && ::syscall(SYS_pidfd_send_signal, process, signal, nullptr, 0) == 0;
  ::close(process);
  return sent;
}

}  // namespace assay::base
