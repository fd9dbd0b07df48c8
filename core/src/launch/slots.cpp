#include "launch/slots.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "assay/error.h"

namespace assay::launch {
namespace fs = std::filesystem;

fs::path slots_folder() {
  if (const char* given = std::getenv("ASSAY_RUNTIME"); given && *given) {
    fs::create_directories(given);
    return given;
  }
  // Not the session's run-time folder: a sweep outlives its session, and a cron job has none.
  const fs::path folder = "/tmp/assay-" + std::to_string(::geteuid());
  struct stat found {};
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    throw UserError(folder.string() + ": the folder cannot be created: " + std::strerror(errno) +
                    "; set ASSAY_RUNTIME to a folder");
  if (::lstat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode) || found.st_uid != ::geteuid())
    throw UserError(folder.string() + ": the path is not a folder of this user; set ASSAY_RUNTIME to one");
  return folder;
}

std::vector<int> Slots::descriptors() const {
  auto all = shared ? shared->descriptors() : std::vector<int>();
  for (const auto& lock : locks) all.push_back(lock.descriptor());
  return all;
}

std::vector<std::string> Slots::all_gpus() const { return gpus.empty() && shared ? shared->all_gpus() : gpus; }

SlotPool::SlotPool(fs::path folder, std::vector<std::string> cores, std::vector<std::string> gpus)
    : folder_(std::move(folder)), cores_(std::move(cores)), gpus_(std::move(gpus)) {}

void SlotPool::gather(const std::string& kind, const std::vector<std::string>& names, size_t wanted,
                      std::vector<std::string>& got) {
  for (const auto& name : names) {
    if (got.size() >= wanted) return;
    if (std::find(got.begin(), got.end(), name) != got.end()) continue;
    if (auto lock = base::FileLock::try_lock(folder_ / (kind + "-" + name), /*tries=*/1)) {
      locks_.push_back(std::move(*lock));
      got.push_back(name);
    }
  }
}

bool SlotPool::gather_all(const SlotRequest& request) {
  const auto cores = std::min(static_cast<size_t>(request.cores), cores_.size());
  gather("core", cores_, cores, got_cores_);
  std::vector<std::string> choice;
  for (const int index : request.gpu_indices)
    if (index < gpus()) choice.push_back(gpus_[static_cast<size_t>(index)]);
  const auto& among = request.gpu_indices.empty() ? gpus_ : choice;
  const auto wanted =
      request.gpu_indices.empty() ? std::min(static_cast<size_t>(request.gpus), gpus_.size()) : choice.size();
  gather("gpu", among, wanted, got_gpus_);
  return got_cores_.size() >= cores && got_gpus_.size() >= wanted;
}

std::shared_ptr<const Slots> SlotPool::hand_out() {
  auto slots = std::make_shared<Slots>();
  slots->locks = std::move(locks_);
  slots->gpus = std::move(got_gpus_);
  give_up();
  return slots;
}

std::shared_ptr<const Slots> SlotPool::take(const SlotRequest& request) {
  if (!turn_) {
    auto turn = base::FileLock::try_lock(folder_ / "turn", /*tries=*/1);
    if (!turn) return nullptr;
    turn_.emplace(std::move(*turn));
  }
  return gather_all(request) ? hand_out() : nullptr;
}

std::shared_ptr<const Slots> SlotPool::take_or_share(const SlotRequest& request, std::shared_ptr<const Slots> other) {
  const bool all = gather_all(request);
  auto slots = std::make_shared<Slots>();
  slots->locks = std::move(locks_);
  slots->gpus = std::move(got_gpus_);
  if (!all) slots->shared = std::move(other);
  give_up();
  return slots;
}

void SlotPool::give_up() {
  locks_.clear();
  got_cores_.clear();
  got_gpus_.clear();
  turn_.reset();
}

}  // namespace assay::launch
