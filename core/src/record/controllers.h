// The controllers at work on an experiment. Each keeps the plan that it is at in a file of its own, for another one may
// replace plan.jsonl before its last worker has started, and holds a lock on that file while it lives.
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
  // plan.<host>.<pid>.jsonl, gone with this object.
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
  bool alive = false;  // else it was killed, and its file is of no use
};
std::vector<Controller> controllers_of(const ExperimentLayout& experiment);

}  // namespace assay::record
