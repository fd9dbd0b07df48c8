#include "record/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "assay/error.h"

namespace assay {

std::string read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file))
    throw UserError(file.string() + ": cannot be read: " + std::strerror(errno));
  std::ostringstream content;
  content << stream.rdbuf();
  return content.str();
}

void write_atomically(const std::filesystem::path& file, std::string_view content) {
  const auto aside = file.string() + ".part" + std::to_string(::getpid());
  const auto fail = [&](const char* what) {
    const std::string cause = std::strerror(errno);
    ::unlink(aside.c_str());
    throw UserError(file.string() + ": cannot " + what + ": " + cause);
  };
  const int descriptor = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) fail("create");
  for (size_t done = 0; done < content.size();) {
    const auto wrote = ::write(descriptor, content.data() + done, content.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      const int cause = errno;
      ::close(descriptor);
      errno = cause;
      fail("write");
    }
    done += static_cast<size_t>(wrote);
  }
  if (::fsync(descriptor) != 0) {
    ::close(descriptor);
    fail("sync");
  }
  ::close(descriptor);
  if (::rename(aside.c_str(), file.c_str()) != 0) fail("rename");
}

}  // namespace assay
