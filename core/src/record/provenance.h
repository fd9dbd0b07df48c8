// Provenance of a result: source state, machine, time. Nothing here raises an error; unknown values are empty.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace assay::record {

struct GitState {
  std::string commit;   // empty outside a repository or without git
  std::string dirty;    // SHA-256 of `changes`; empty when there are none
  std::string changes;  // relative to the commit, as `git diff --binary`, including untracked files
};
GitState git_state(const std::filesystem::path& folder);

// From the text of /proc/cpuinfo: the CPU model, and the widest instruction set: amx, avx512 or avx2 on x86-64, sve2 or
// sve on Arm, else baseline.
std::string cpu_model(std::string_view cpuinfo);
std::string instruction_set(std::string_view cpuinfo);
std::string read_cpuinfo();

std::string host_name();
std::string iso_time();            // now, UTC, "2024-05-01T12:00:00Z"
std::int64_t peak_memory_bytes();  // of this process so far
int concurrent_jobs();             // the value of ASSAY_JOBS, which the launcher sets; 1 without it

}  // namespace assay::record
