// The hooks that the threads of a worker are currently running, in a file that outlives the process: when a worker dies
// without an error message, its controller reads there which plugin was running.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace assay::record {

// The file as mapped memory with one slot per thread. If the file cannot be created, for lack of space or permission,
// there are no slots.
class HookFile {
 public:
  explicit HookFile(std::filesystem::path file);
  ~HookFile();  // removes the file: the process ends with a message
  HookFile(const HookFile&) = delete;
  HookFile& operator=(const HookFile&) = delete;

  static constexpr size_t kSlots = 64, kSlotBytes = 256;
  char* slots() const { return slots_; }  // kSlots of kSlotBytes each; null: none

 private:
  std::filesystem::path file_;
  char* slots_ = nullptr;
};

// Writes one slot, truncated if it is too long. An empty plugin name means that the thread is not in a hook.
void write_hook(char* slot, std::string_view plugin, std::string_view component, std::string_view hook);

// "plugin 'p', component 'c', hook 'h'" of every thread that was in a hook, without duplicates. Empty without a file.
std::vector<std::string> hooks_in(const std::filesystem::path& file);

}  // namespace assay::record
