#include "data/epoch_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "assay/error.h"
#include "base/files.h"

namespace assay::data {
namespace {

struct Header {
  char magic[8];
  int64_t size;
  int32_t has_weights, has_segments;
};
constexpr char kMagic[8] = {'A', 'S', 'S', 'A', 'Y', 'E', 'P', '2'};

}  // namespace

void EpochFile::write(const std::filesystem::path& file, const EpochContent& content) {
  Header header{
      {}, static_cast<int64_t>(content.tokens.size()), !content.loss_weight.empty(), !content.segment.empty()};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  const auto append = [&](const auto& values) {
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof values[0]);
  };
  append(content.tokens);
  append(content.loss_weight);
  append(content.segment);
  std::filesystem::create_directories(file.parent_path());
  base::write_atomically(file, bytes);
}

EpochFile::EpochFile(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0) {
    if (descriptor >= 0) ::close(descriptor);
    throw UserError(file.string() + ": the materialised epoch cannot be read: " + std::strerror(errno));
  }
  bytes_ = static_cast<size_t>(status.st_size);
  if (bytes_ >= sizeof(Header)) {
    mapping_ = ::mmap(nullptr, bytes_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (mapping_ == MAP_FAILED) mapping_ = nullptr;
  }
  ::close(descriptor);
  const auto* header = static_cast<const Header*>(mapping_);
  const size_t each =
      header ? 4 * (1 + static_cast<size_t>(header->has_weights != 0) + static_cast<size_t>(header->has_segments != 0))
             : 0;
  if (!header || std::memcmp(header->magic, kMagic, sizeof kMagic) != 0 || header->size < 0 ||
      bytes_ != sizeof(Header) + static_cast<size_t>(header->size) * each) {
    if (mapping_) ::munmap(mapping_, bytes_);
    throw UserError(file.string() + ": the materialised epoch is corrupt; delete the file to have it created again");
  }
  size_ = header->size;
  tokens_ = reinterpret_cast<const int32_t*>(header + 1);
  const auto* next = tokens_ + size_;
  if (header->has_weights) {
    weights_ = reinterpret_cast<const float*>(next);
    next += size_;
  }
  if (header->has_segments) segments_ = next;
}

EpochFile::~EpochFile() { ::munmap(mapping_, bytes_); }

}  // namespace assay::data
