// flock on a file, released when the holder dies, however it dies. So a claimed run never stays claimed.
#pragma once

#include <filesystem>
#include <optional>

namespace assay::base {

class FileLock {
 public:
  // Nothing when another process holds the lock. Creates the file. Throws UserError when it cannot be opened. One try
  // is enough where nobody asks is_held, which takes the lock for an instant.
  static std::optional<FileLock> try_lock(const std::filesystem::path& file, int tries = 5);
  // Waits.
  static FileLock lock(const std::filesystem::path& file);
  // Whether some process holds it; creates nothing.
  static bool is_held(const std::filesystem::path& file);

  FileLock(FileLock&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

  // Close-on-exec; a child that is handed it holds the lock, too, until both have closed it.
  int descriptor() const { return descriptor_; }

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace assay::base
