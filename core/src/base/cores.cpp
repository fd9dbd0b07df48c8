#include "base/cores.h"

#include <sched.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>

#include "base/files.h"
#include "base/sha256.h"

namespace assay::base {
namespace {

namespace fs = std::filesystem;

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

std::vector<int> affinity_mask() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  std::vector<int> numbers;
  if (::sched_getaffinity(0, sizeof cores, &cores) != 0) return {0};
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &cores)) numbers.push_back(core);
  return numbers;
}

bool lists(const std::string& comma_separated, const std::string& word) {
  return ("," + comma_separated + ",").find("," + word + ",") != std::string::npos;
}

// Path of this process's group, from /proc/self/cgroup: lines "number:controllers:path", without controllers in
// version 2. Empty when there is none.
std::string group_path(const fs::path& root, bool second_version) {
  std::istringstream lines(read_if_there(root / "proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    if (second_version ? controllers.empty() : lists(controllers, "cpu")) return line.substr(second + 1);
  }
  return "";
}

// The group's folder and those of the groups that contain it, as far as they are mounted here. A line of
// /proc/self/mountinfo is "id parent device root place options .. - type source super_options".
std::vector<fs::path> group_folders(const fs::path& root, bool second_version) {
  const auto group = group_path(root, second_version);
  std::istringstream lines(read_if_there(root / "proc/self/mountinfo"));
  for (std::string line; !group.empty() && std::getline(lines, line);) {
    std::istringstream words(line);
    const std::vector<std::string> word{std::istream_iterator<std::string>(words), {}};
    const auto dash = std::find(word.begin(), word.end(), "-");
    if (word.size() < 5 || word.end() - dash < 4) continue;
    if (second_version ? dash[1] != "cgroup2" : dash[1] != "cgroup" || !lists(dash[3], "cpu")) continue;
    // In a container the mount may begin inside the tree of groups.
    const auto inner = fs::path(group).lexically_relative(word[3]);
    const auto mounted = root / fs::path(word[4]).relative_path();
    std::vector<fs::path> folders{mounted};
    if (inner.empty() || *inner.begin() == "..") return folders;
    for (const auto& part : inner)
      if (part != ".") folders.push_back(folders.back() / part);
    return folders;
  }
  return {};
}

// Version 2: "quota period" or "max period", in microseconds.
double quota_in_second_version(const fs::path& folder) {
  std::istringstream text(read_if_there(folder / "cpu.max"));
  double quota = 0, period = 0;
  return text >> quota >> period && quota > 0 && period > 0 ? quota / period : kNoQuota;
}

// Version 1: two files, in microseconds; a quota of -1 is none.
double quota_in_first_version(const fs::path& folder) {
  std::istringstream quota_text(read_if_there(folder / "cpu.cfs_quota_us"));
  std::istringstream period_text(read_if_there(folder / "cpu.cfs_period_us"));
  double quota = 0, period = 0;
  return quota_text >> quota && period_text >> period && quota > 0 && period > 0 ? quota / period : kNoQuota;
}

// In cores. A group has no more than each group that contains it.
double smallest_quota(const fs::path& root) {
  double smallest = kNoQuota;
  for (const auto& folder : group_folders(root, true)) smallest = std::min(smallest, quota_in_second_version(folder));
  for (const auto& folder : group_folders(root, false)) smallest = std::min(smallest, quota_in_first_version(folder));
  return smallest;
}

}  // namespace

std::vector<std::string> core_names(const fs::path& root) {
  std::vector<std::string> names;
  for (const int core : affinity_mask()) names.push_back(std::to_string(core));
  const auto quota = std::max(1.0, smallest_quota(root));
  if (quota >= static_cast<double>(names.size())) return names;
  const auto group = sha256(group_path(root, true) + "\n" + group_path(root, false)).substr(0, 8);
  names.clear();
  for (int i = 0; i < static_cast<int>(quota); ++i) names.push_back(group + "-" + std::to_string(i));
  return names;
}

int available_cores() { return static_cast<int>(core_names().size()); }

}  // namespace assay::base
