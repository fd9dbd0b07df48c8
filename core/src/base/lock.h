// An flock on a file. The kernel releases it when the holder dies for any reason, so a run never stays claimed.
#pragma once

#include <filesystem>
#include <optional>

namespace assay::base {

class FileLock {
 public:
  // Returns no value when another process holds the lock. Creates the file. Throws UserError when it cannot be opened.
  // One try suffices where no process calls is_held, which takes the lock for an instant.
  static std::optional<FileLock> try_lock(const std::filesystem::path& file, int tries = 5);
  // Blocks until the lock is free.
  static FileLock lock(const std::filesystem::path& file);
  // Whether some process holds the lock. Does not create the file.
  static bool is_held(const std::filesystem::path& file);

  FileLock(FileLock&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

  // Close-on-exec. A child that inherits the descriptor also holds the lock, until both have closed it.
  int descriptor() const { return descriptor_; }

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace assay::base
