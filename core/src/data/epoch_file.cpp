#include "data/epoch_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "assay/error.h"
#include "base/files.h"

namespace assay::data {

// After the header: begins, tokens, weights, segments, sources, channels, and the channels' names and sizes as JSON.
struct EpochFile::Header {
  char magic[8];
  int64_t size, begins, channel_width, names;  // names: bytes of the JSON text
  int32_t has_weights, has_segments;
};

namespace {

constexpr char kMagic[8] = {'A', 'S', 'S', 'A', 'Y', 'E', 'P', '3'};

}  // namespace

void EpochFile::write(const std::filesystem::path& file, const EpochContent& content) {
  int64_t width = 0;
  for (const auto& [name, size] : content.channel_sizes) width += size;
  const auto names = content.channel_sizes.empty() ? "" : nlohmann::json(content.channel_sizes).dump();
  Header header{{},
                static_cast<int64_t>(content.tokens.size()),
                static_cast<int64_t>(content.begins.size()),
                width,
                static_cast<int64_t>(names.size()),
                !content.loss_weight.empty(),
                !content.segment.empty()};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  const auto append = [&](const auto& values) {
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof values[0]);
  };
  append(content.begins);
  append(content.tokens);
  append(content.loss_weight);
  append(content.segment);
  append(content.source);
  append(content.channels);
  bytes += names;
  std::filesystem::create_directories(file.parent_path());
  base::write_atomically(file, bytes);
}

bool EpochFile::divide(const Header& header) {
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) return false;
  for (const auto count : {header.size, header.begins, header.channel_width, header.names})
    if (count < 0 || static_cast<size_t>(count) > bytes_) return false;
  if (header.begins > 0 && static_cast<size_t>(header.channel_width) > bytes_ / static_cast<size_t>(header.begins))
    return false;
  size_ = header.size;
  sequences_ = header.begins > 0 ? header.begins - 1 : 0;
  channel_width_ = header.channel_width;
  const auto* next = reinterpret_cast<const char*>(&header + 1);
  const auto* const end = static_cast<const char*>(mapping_) + bytes_;
  const auto take = [&]<class T>(const T*& values, int64_t count) {
    const auto left = static_cast<size_t>(end - next);
    if (static_cast<size_t>(count) > left / sizeof(T)) return false;
    if (count > 0) values = reinterpret_cast<const T*>(next);
    next += static_cast<size_t>(count) * sizeof(T);
    return true;
  };
  const char* names = nullptr;
  const bool fits = take(begins_, header.begins) && take(tokens_, size_) &&
                    take(weights_, header.has_weights ? size_ : 0) &&
                    take(segments_, header.has_segments ? size_ : 0) && take(source_, sequences_) &&
                    take(channels_, sequences_ * channel_width_) && take(names, header.names) && next == end;
  for (int64_t i = 0; fits && i < sequences_; ++i)
    if (begins_[i] < 0 || begins_[i] >= begins_[i + 1] || begins_[i + 1] > size_) return false;
  if (!fits || header.names == 0) return fits;
  const auto sizes = nlohmann::json::parse(names, end, nullptr, /*allow_exceptions=*/false);
  if (!sizes.is_array()) return false;
  int64_t width = 0;
  for (const auto& entry : sizes) {
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number_integer()) return false;
    channel_sizes_.emplace_back(entry[0].get<std::string>(), entry[1].get<int64_t>());
    if (channel_sizes_.back().second < 0) return false;
    width += channel_sizes_.back().second;
  }
  return width == channel_width_;
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
  if (header && divide(*header)) return;
  if (mapping_) ::munmap(mapping_, bytes_);
  throw UserError(file.string() + ": the materialised epoch is corrupt; delete the file to have it created again");
}

EpochFile::~EpochFile() { ::munmap(mapping_, bytes_); }

}  // namespace assay::data
