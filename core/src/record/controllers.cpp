#include "record/controllers.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>

#include "base/files.h"
#include "record/provenance.h"

namespace assay::record {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "plan.", kSuffix = ".jsonl";

}  // namespace

ControllerPlan::ControllerPlan(const ExperimentLayout& experiment, std::string_view text)
    : file_(experiment.folder() / fmt::format("{}{}.{}{}", kPrefix, host_name(), ::getpid(), kSuffix)) {
  fs::create_directories(experiment.folder());
  const auto lock = base::FileLock::lock(experiment.lock());  // meanwhile no process searches for files without a lock
  base::write_atomically(file_, text);
  lock_.emplace(base::FileLock::lock(file_));
}

ControllerPlan::~ControllerPlan() {
  std::error_code ignored;
  fs::remove(file_, ignored);
}

std::vector<Controller> controllers_of(const ExperimentLayout& experiment) {
  std::vector<Controller> controllers;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(experiment.folder(), absent)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix) || name.size() <= kPrefix.size() + kSuffix.size())
      continue;
    const auto middle = name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
    const auto dot = middle.rfind('.');  // host names have dots, too
    Controller controller{entry.path(), dot == std::string::npos ? "" : middle.substr(0, dot), 0, false};
    const auto number = std::string_view(middle).substr(dot == std::string::npos ? 0 : dot + 1);
    std::from_chars(number.data(), number.data() + number.size(), controller.pid);
    controller.alive = base::FileLock::is_held(entry.path());
    controllers.push_back(std::move(controller));
  }
  return controllers;
}

}  // namespace assay::record
