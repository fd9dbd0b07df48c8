#include "base/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "assay/error.h"

namespace assay::base {
namespace {

int open_lock(const std::filesystem::path& file) {
  // Close-on-exec: a child that outlives its parent must not keep the claim.
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) throw UserError(file.string() + ": cannot be opened for locking: " + std::strerror(errno));
  return descriptor;
}

// Returns false when another process holds the lock.
bool flock_file(int descriptor, int operation, const std::filesystem::path& file) {
  while (::flock(descriptor, operation) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return false;
    const std::string cause = std::strerror(errno);
    ::close(descriptor);
    throw UserError(file.string() + ": cannot be locked: " + cause);
  }
  return true;
}

}  // namespace

std::optional<FileLock> FileLock::try_lock(const std::filesystem::path& file, int tries) {
  const int descriptor = open_lock(file);
  for (int attempt = 1;; ++attempt) {
    if (flock_file(descriptor, LOCK_EX | LOCK_NB, file)) return FileLock(descriptor);
    if (attempt >= tries) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ::close(descriptor);
  return std::nullopt;
}

FileLock FileLock::lock(const std::filesystem::path& file) {
  const int descriptor = open_lock(file);
  flock_file(descriptor, LOCK_EX, file);
  return FileLock(descriptor);
}

bool FileLock::is_held(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool held = !flock_file(descriptor, LOCK_SH | LOCK_NB, file);
  ::close(descriptor);
  return held;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace assay::base
