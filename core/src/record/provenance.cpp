#include "record/provenance.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <sstream>
#include <vector>

#include "base/files.h"
#include "base/process.h"
#include "base/sha256.h"

namespace assay::record {
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
  const auto git = [&](std::vector<std::string> arguments, const std::vector<std::string>& before = {}) {
    auto command = before;
    for (const char* word : {"git", "-C"}) command.emplace_back(word);
    command.push_back(folder.string());
    command.insert(command.end(), arguments.begin(), arguments.end());
    return base::capture_output(command);
  };
  const auto line_of = [](const std::optional<std::string>& text) {
    return text ? text->substr(0, text->find('\n')) : std::string();
  };
  GitState state;
  state.commit = line_of(git({"rev-parse", "HEAD"}));
  if (state.commit.empty()) return state;
  // A diff shows new files only if an index contains them. The index used here is a copy, so that the user's own index
  // does not change.
  const std::filesystem::path top = line_of(git({"rev-parse", "--show-toplevel"})),
                              index = line_of(git({"rev-parse", "--path-format=absolute", "--git-path", "index"}));
  std::error_code failed;
  const auto copy = std::filesystem::temp_directory_path(failed) / fmt::format("assay-index-{}", ::getpid());
  if (!failed) std::filesystem::copy_file(index, copy, std::filesystem::copy_options::overwrite_existing, failed);
  // Git uses the modification time of the index to detect files that changed after it was written.
  if (!failed) std::filesystem::last_write_time(copy, std::filesystem::last_write_time(index, failed), failed);
  const std::vector<std::string> with_copy =
      failed ? std::vector<std::string>{} : std::vector<std::string>{"env", "GIT_INDEX_FILE=" + copy.string()};
  if (!failed) git({"-C", top.string(), "add", "--intent-to-add", "."}, with_copy);
  state.changes = git({"diff", "--no-ext-diff", "--binary", "HEAD"}, with_copy).value_or("");
  std::filesystem::remove(copy, failed);
  if (!state.changes.empty()) state.dirty = base::sha256(state.changes);
  return state;
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

std::string read_cpuinfo() { return base::read_if_there("/proc/cpuinfo"); }

std::vector<int> core_numbers() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  std::vector<int> numbers;
  if (::sched_getaffinity(0, sizeof cores, &cores) != 0) return {0};
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &cores)) numbers.push_back(core);
  return numbers;
}

int available_cores() { return std::max(1, static_cast<int>(core_numbers().size())); }

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

}  // namespace assay::record
