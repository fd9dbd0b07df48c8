// The controllers that run an experiment. Each keeps its plan in its own file, because another controller may replace
// plan.jsonl before the last worker has started, and holds a lock on that file while it runs.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/lock.h"
#include "record/layout.h"

namespace assay::record {

class ControllerPlan {
 public:
  // Writes plan.<host>.<pid>.jsonl, which the destructor removes.
  ControllerPlan(const ExperimentLayout& experiment, std::string_view text);
  ~ControllerPlan();
  ControllerPlan(const ControllerPlan&) = delete;
  ControllerPlan& operator=(const ControllerPlan&) = delete;
  const std::filesystem::path& file() const { return file_; }

 private:
  std::filesystem::path file_;
  std::optional<base::FileLock> lock_;
};

struct Controller {
  std::filesystem::path file;  // its plan
  std::string host;
  pid_t pid = 0;
  bool alive = false;  // false: it was killed, and its file is unreferenced
};
std::vector<Controller> controllers_of(const ExperimentLayout& experiment);

}  // namespace assay::record
