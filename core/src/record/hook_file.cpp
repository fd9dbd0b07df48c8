#include "record/hook_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "assay/error.h"
#include "base/files.h"

namespace assay::record {

namespace fs = std::filesystem;

HookFile::HookFile(fs::path file) : file_(std::move(file)) {
  constexpr auto kBytes = kSlots * kSlotBytes;
  const int descriptor = ::open(file_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) return;
  // Its space is reserved, because a write to mapped memory without disk space would kill the process.
  if (::posix_fallocate(descriptor, 0, kBytes) == 0) {
    void* memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory != MAP_FAILED) slots_ = static_cast<char*>(memory);
  }
  ::close(descriptor);
}

// The memory stays mapped: a thread may still be in a hook.
HookFile::~HookFile() {
  std::error_code ignored;
  fs::remove(file_, ignored);
}

void write_hook(char* slot, std::string_view plugin, std::string_view component, std::string_view hook) {
  size_t at = 0, after = 4;  // the separators and the zero that follow
  for (const auto text : {plugin, component, hook}) {
    const auto count = std::min(text.size(), HookFile::kSlotBytes - after-- - at);
    std::memcpy(slot + at, text.data(), count);
    at += count;
    slot[at++] = '\n';
  }
  slot[at] = '\0';
}

std::vector<std::string> hooks_in(const fs::path& file) {
  std::string text;
  try {
    text = base::read_file(file);
  } catch (const UserError&) {
    return {};
  }
  std::vector<std::string> hooks;
  for (size_t begin = 0; begin + HookFile::kSlotBytes <= text.size(); begin += HookFile::kSlotBytes) {
    const auto slot = text.substr(begin, HookFile::kSlotBytes);
    const auto first = slot.find('\n'), second = slot.find('\n', first + 1), third = slot.find('\n', second + 1);
    if (first == 0 || second == std::string::npos || third == std::string::npos) continue;
    auto hook = fmt::format("plugin '{}', component '{}', hook '{}'", slot.substr(0, first),
                            slot.substr(first + 1, second - first - 1), slot.substr(second + 1, third - second - 1));
    if (std::find(hooks.begin(), hooks.end(), hook) == hooks.end()) hooks.push_back(std::move(hook));
  }
  return hooks;
}

}  // namespace assay::record
