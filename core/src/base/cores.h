// The cores that this process may use.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace assay::base {

// One name per core. Without a CPU quota these are the numbers of the affinity mask. If the quotas of this process's
// control groups allow fewer cores (rounded down, at least one), they are names of the group, because such a process
// may run on any core of the mask. `root` holds proc and the mounted control groups.
std::vector<std::string> core_names(const std::filesystem::path& root = "/");
int available_cores();  // at least 1

}  // namespace assay::base
