// Where a result comes from: source state, machine, time. Nothing here is ever an error; what is unknown is empty.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace assay::record {

struct GitState {
  std::string commit;   // empty outside a repository or without git
  std::string dirty;    // SHA-256 of `changes`; empty when there are none
  std::string changes;  // against the commit, as `git diff --binary`, files that git does not know yet included
};
GitState git_state(const std::filesystem::path& folder);

// From the text of /proc/cpuinfo: the model's name, and the widest of amx, avx512, avx2, baseline.
std::string cpu_model(std::string_view cpuinfo);
std::string instruction_set(std::string_view cpuinfo);
std::string read_cpuinfo();

std::vector<int> core_numbers();  // of the cores that this process may run on
int available_cores();            // how many these are; at least 1
std::string host_name();
std::string iso_time();            // now, UTC, "2024-05-01T12:00:00Z"
std::int64_t peak_memory_bytes();  // of this process so far
int concurrent_jobs();             // what the launcher said in ASSAY_JOBS; 1 without it

}  // namespace assay::record
