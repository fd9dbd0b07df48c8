#include "record/provenance.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>
#include <utility>
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

// Arm has no model name, but the numbers of a manufacturer and of one of its parts.
std::string cpu_model(std::string_view cpuinfo) {
  const auto name = cpuinfo_value(cpuinfo, "model name"), part = cpuinfo_value(cpuinfo, "CPU part");
  if (!name.empty() || part.empty()) return std::string(name);
  return fmt::format("Arm, implementer {}, part {}", cpuinfo_value(cpuinfo, "CPU implementer"), part);
}

std::string instruction_set(std::string_view cpuinfo) {
  // x86-64 lists flags, Arm features; the widest comes first.
  constexpr std::pair<std::string_view, const char*> kSets[] = {
      {"amx_tile", "amx"}, {"avx512f", "avx512"}, {"avx2", "avx2"}, {"sve2", "sve2"}, {"sve", "sve"}};
  std::istringstream text{std::string(cpuinfo_value(cpuinfo, "flags")) +
                          std::string(cpuinfo_value(cpuinfo, "Features"))};
  const std::set<std::string> flags{std::istream_iterator<std::string>(text), {}};
  for (const auto& [flag, name] : kSets)
    if (flags.count(std::string(flag))) return name;
  return "baseline";
}

std::string read_cpuinfo() { return base::read_if_there("/proc/cpuinfo"); }

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
