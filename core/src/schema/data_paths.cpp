#include "schema/data_paths.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>

#include "base/sha256.h"

namespace assay::schema {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> data_above(fs::path folder) {
  std::error_code ignored;
  for (;; folder = folder.parent_path()) {
    if (fs::is_directory(folder / ".data", ignored)) return folder / ".data";
    if (folder == folder.root_path()) return std::nullopt;
  }
}

// A corpus of scripts/data or a file inside one: "austen", "gpt2/vocab.bpe".
bool may_be_of_data(const fs::path& name) {
  return name.is_relative() && *name.begin() != "." && *name.begin() != "..";
}

}  // namespace

PathFinder::PathFinder(const fs::path& experiment_file, fs::path folder) : folder_(std::move(folder)) {
  if (const char* root = std::getenv("ASSAY_DATA"); root && *root) {
    data_root_ = root;
  } else {
    if (!experiment_file.empty())
      data_root_ = data_above(fs::absolute(experiment_file).lexically_normal().parent_path());
    if (!data_root_) data_root_ = data_above(fs::current_path());
  }
}

std::vector<std::string> PathFinder::found() const {
  std::vector<std::string> paths;
  for (const auto& [path, hash] : hashes_) paths.push_back(path);
  return paths;
}

nlohmann::json PathFinder::find(const std::string& name, const document::Position& position,
                                document::Diagnostics& diagnostics) {
  if (name.empty() || name.find('\0') != std::string::npos) {
    diagnostics.add(position, "the name of a file or folder must not be empty or contain a null byte");
    return nullptr;
  }
  const fs::path folder = position.line > 0 ? fs::path(*position.file).parent_path() : folder_;
  std::vector<fs::path> candidates;
  if (may_be_of_data(name) && data_root_) candidates.push_back(*data_root_ / name);
  candidates.push_back(folder / name);
  std::vector<std::string> looked;
  try {
    for (const auto& candidate : candidates) {
      looked.push_back("'" + candidate.lexically_normal().string() + "'");
      if (!fs::exists(candidate)) continue;
      if (!fs::is_regular_file(candidate) && !fs::is_directory(candidate)) {  // a device or a pipe may never end
        diagnostics.add(position, fmt::format("'{}' is not a regular file or a folder", name));
        return nullptr;
      }
      const auto absolute = fs::weakly_canonical(fs::absolute(candidate)).string();
      auto& hash = hashes_[absolute];
      if (hash.empty()) hash = base::sha256_of_path(absolute);
      return {{"path", absolute}, {"sha256", hash}, {"name", name}};
    }
  } catch (const std::exception& error) {
    diagnostics.add(position, fmt::format("'{}' cannot be read: {}", name, error.what()));
    return nullptr;
  }
  diagnostics.add(
      position, fmt::format("'{}' does not exist (searched: {}); a path {}{}", name, fmt::join(looked, ", "),
                            position.line > 0
                                ? "in a file is relative to that file's folder"
                                : "on the command line is relative to the current folder, not to the experiment's file",
                            may_be_of_data(name) ? "; scripts/data downloads the known corpora by name" : ""));
  return nullptr;
}

}  // namespace assay::schema
