// Cores and GPUs of this machine, handed out across all invocations of this user: one lock file each. A worker inherits
// the locks of what it got, so they last as long as it does, whatever becomes of its controller.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/lock.h"

namespace assay::launch {

// ASSAY_RUNTIME, else /tmp/assay-<uid>: made where it is missing. UserError when it belongs to somebody else.
std::filesystem::path slots_folder();

// What one worker has. The controller's copies of the locks go with it.
struct Slots {
  std::vector<base::FileLock> locks;
  std::vector<std::string> gpus;          // as CUDA_VISIBLE_DEVICES names them
  std::shared_ptr<const Slots> shared{};  // another worker's, where this one has to do with less than it asked for
  std::vector<int> descriptors() const;   // of all these locks, for the worker to inherit
  std::vector<std::string> all_gpus() const;
};

struct SlotsAsked {
  int cores = 1;
  int gpus = 0;                    // any
  std::vector<int> gpu_indices{};  // these very ones, by their place in the pool's list
};

class SlotPool {
 public:
  // cores: numbers of this machine's that this process may use; gpus: as CUDA_VISIBLE_DEVICES names them.
  SlotPool(std::filesystem::path folder, std::vector<int> cores, std::vector<std::string> gpus);

  // All that is asked, at most all there are; nothing while others have them. Call it again until it gives them: what
  // it got so far is kept, and only one process of this user gathers at a time, so none waits for ever and no two wait
  // for each other.
  std::shared_ptr<const Slots> take(const SlotsAsked& asked);
  // As many as are free now, and for the rest the share of one that has its own.
  std::shared_ptr<const Slots> take_or_share(const SlotsAsked& asked, std::shared_ptr<const Slots> other);
  // No more is asked for at present.
  void give_up();

  int cores() const { return static_cast<int>(cores_.size()); }
  int gpus() const { return static_cast<int>(gpus_.size()); }

 private:
  void gather(const std::string& kind, const std::vector<std::string>& names, size_t wanted,
              std::vector<std::string>& got);
  bool gather_all(const SlotsAsked& asked);
  std::shared_ptr<const Slots> hand_out();

  std::filesystem::path folder_;
  std::vector<std::string> cores_, gpus_;
  std::optional<base::FileLock> turn_;  // held while gathering
  std::vector<base::FileLock> locks_;   // so far
  std::vector<std::string> got_cores_, got_gpus_;
};

}  // namespace assay::launch
