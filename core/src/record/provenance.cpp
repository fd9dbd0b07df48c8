#include "record/provenance.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>

#include "record/capture.h"
#include "record/sha256.h"

namespace assay {
namespace {

// The value of the first line "key : value".
std::string_view cpuinfo_value(std::string_view cpuinfo, std::string_view key) {
  for (size_t begin = 0; begin < cpuinfo.size();) {
    auto end = cpuinfo.find('\n', begin);
    if (end == std::string_view::npos) end = cpuinfo.size();
    const auto line = cpuinfo.substr(begin, end - begin);
    begin = end + 1;
    const auto colon = line.find(':');
    if (!line.starts_with(key) || colon == std::string_view::npos) continue;
    if (line.substr(key.size(), colon - key.size()).find_first_not_of(" \t") != std::string_view::npos) continue;
    const auto value = line.find_first_not_of(' ', colon + 1);
    return value == std::string_view::npos ? std::string_view() : line.substr(value);
  }
  return {};
}

}  // namespace

GitState git_state(const std::filesystem::path& folder) {
  const auto commit = capture_output({"git", "-C", folder.string(), "rev-parse", "HEAD"});
  if (!commit) return {};
  const auto difference = capture_output({"git", "-C", folder.string(), "diff", "--no-ext-diff", "--binary", "HEAD"});
  return {commit->substr(0, commit->find('\n')), difference.value_or("").empty() ? "" : sha256(*difference)};
}

std::string cpu_model(std::string_view cpuinfo) { return std::string(cpuinfo_value(cpuinfo, "model name")); }

std::string instruction_set(std::string_view cpuinfo) {
  std::istringstream flags{std::string(cpuinfo_value(cpuinfo, "flags"))};
  bool avx2 = false, avx512 = false, amx = false;
  for (std::string flag; flags >> flag;) {
    avx2 |= flag == "avx2";
    avx512 |= flag == "avx512f";
    amx |= flag == "amx_tile";
  }
  return amx ? "amx" : avx512 ? "avx512" : avx2 ? "avx2" : "baseline";
}

std::string read_cpuinfo() {
  std::ifstream stream("/proc/cpuinfo");
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

int available_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (::sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
  return std::max(1, CPU_COUNT(&cores));
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string iso_time() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

std::int64_t peak_memory_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

int concurrent_jobs() {
  const char* text = std::getenv("ASSAY_JOBS");
  return text ? std::max(1, std::atoi(text)) : 1;
}

}  // namespace assay
