#include "base/files.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fstream>
#include <sstream>

#include "assay/error.h"

namespace assay::base {
namespace {

constexpr std::string_view kPart = ".part";  // then the writer's process id

}  // namespace

std::string read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file))
    throw UserError(file.string() + ": cannot be read: " + std::strerror(errno));
  std::ostringstream content;
  content << stream.rdbuf();
  if (content.bad()) throw UserError(file.string() + ": cannot be read to its end: " + std::strerror(errno));
  return content.str();
}

std::string read_if_there(const std::filesystem::path& file) {
  std::ostringstream content;
  content << std::ifstream(file, std::ios::binary).rdbuf();
  return content.str();
}

void write_synced(const std::filesystem::path& file, const std::vector<std::string_view>& parts) {
  int descriptor = -1;
  const auto fail = [&](const char* what) {
    const std::string cause = std::strerror(errno);
    if (descriptor >= 0) ::close(descriptor);
    ::unlink(file.c_str());
    throw UserError(file.string() + ": cannot " + what + ": " + cause);
  };
  descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) fail("create");
  for (const auto part : parts)
    for (size_t done = 0; done < part.size();) {
      const auto wrote = ::write(descriptor, part.data() + done, part.size() - done);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) fail("write");
      done += static_cast<size_t>(wrote);
    }
  if (::fsync(descriptor) != 0) fail("sync");
  ::close(descriptor);
}

void write_atomically(const std::filesystem::path& file, std::string_view content) {
  static std::atomic<int> writes{0};  // threads may write the same file concurrently: the last write wins
  const auto aside = file.string() + std::string(kPart) + std::to_string(::getpid()) + "." + std::to_string(++writes);
  try {
    write_synced(aside, {content});
  } catch (const UserError& error) {  // the message names the final file
    const std::string text = error.what();
    throw UserError(file.string() + text.substr(aside.size()));
  }
  if (::rename(aside.c_str(), file.c_str()) == 0) return;
  const std::string cause = std::strerror(errno);
  ::unlink(aside.c_str());
  throw UserError(file.string() + ": cannot rename: " + cause);
}

void remove_abandoned(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const auto name = entry.path().filename().string();
    const auto part = name.rfind(kPart);
    pid_t writer = 0;
    if (part == std::string::npos) continue;
    std::from_chars(name.data() + part + kPart.size(), name.data() + name.size(), writer);
    const bool is_gone = writer > 0 && ::kill(writer, 0) != 0 && errno == ESRCH;
    const auto age = std::filesystem::file_time_type::clock::now() - entry.last_write_time(ignored);
    if (is_gone && age > std::chrono::hours(1)) std::filesystem::remove(entry.path(), ignored);
  }
}

void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) throw UserError(folder.string() + ": cannot open: " + std::strerror(errno));
  const bool synced = ::fsync(descriptor) == 0 || errno == EINVAL;  // EINVAL: unsupported and not needed
  const std::string cause = std::strerror(errno);
  ::close(descriptor);
  if (!synced) throw UserError(folder.string() + ": cannot sync: " + cause);
}

}  // namespace assay::base
