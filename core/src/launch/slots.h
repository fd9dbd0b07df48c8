// Hands out the cores and GPUs of this machine across all processes of this user, with one lock file each. A worker
// inherits the locks of its slots, so they last as long as the worker, even if its controller ends.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/lock.h"

namespace assay::launch {

// ASSAY_RUNTIME, otherwise /tmp/assay-<uid>; created if it is missing. Throws UserError if it belongs to another user.
std::filesystem::path slots_folder();

// The slots of one worker. The controller's copies of the locks are released with the object.
struct Slots {
  std::vector<base::FileLock> locks;
  std::vector<std::string> gpus;          // as CUDA_VISIBLE_DEVICES names them
  std::shared_ptr<const Slots> shared{};  // another worker's slots, if this one got fewer than it requested
  std::vector<int> descriptors() const;   // those of all locks, which the worker inherits
  std::vector<std::string> all_gpus() const;
};

struct SlotRequest {
  int cores = 1;
  int gpus = 0;                    // any
  std::vector<int> gpu_indices{};  // exactly these, by index in the pool's list
};

class SlotPool {
 public:
  // cores: base::core_names(); gpus: names as in CUDA_VISIBLE_DEVICES.
  SlotPool(std::filesystem::path folder, std::vector<std::string> cores, std::vector<std::string> gpus);

  // All requested slots, at most all that exist; nothing while others hold them. Call it again until it returns them:
  // what it has gathered is kept, and only one process of this user gathers at a time, so there is no deadlock or
  // starvation.
  std::shared_ptr<const Slots> take(const SlotRequest& request);
  // As many slots as are free now; for the rest it shares those of another worker.
  std::shared_ptr<const Slots> take_or_share(const SlotRequest& request, std::shared_ptr<const Slots> other);
  // Ends the gathering and releases what was gathered.
  void give_up();

  int cores() const { return static_cast<int>(cores_.size()); }
  int gpus() const { return static_cast<int>(gpus_.size()); }

 private:
  void gather(const std::string& kind, const std::vector<std::string>& names, size_t wanted,
              std::vector<std::string>& got);
  bool gather_all(const SlotRequest& request);
  std::shared_ptr<const Slots> hand_out();

  std::filesystem::path folder_;
  std::vector<std::string> cores_, gpus_;
  std::optional<base::FileLock> turn_;  // held while gathering
  std::vector<base::FileLock> locks_;   // gathered so far
  std::vector<std::string> got_cores_, got_gpus_;
};

}  // namespace assay::launch
