// The cores that this process may use.
#pragma once

#include <filesystem>
#include <vector>

namespace assay::base {

// Numbers of the cores of the affinity mask: as many of them as the CPU quotas of this process's control groups allow,
// rounded down, and at least one. `root` holds proc and the mounted control groups.
std::vector<int> core_numbers(const std::filesystem::path& root = "/");
int available_cores();  // how many, at least 1

}  // namespace assay::base
