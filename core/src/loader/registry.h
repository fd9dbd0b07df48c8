// Finds plugins, checks them before any of their code runs, loads them permanently, and finds their components.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "assay/abi.h"

namespace assay::loader {

struct PluginFile {
  std::filesystem::path file;
  std::string sha256, build_id;
  std::string error;                    // why it was not loaded; empty when loaded
  const AssayPlugin* plugin = nullptr;  // null when not loaded
};

class Registry {
 public:
  // An invalid file is recorded with its error and is never fatal. Of two components with the same kind and name, the
  // first wins.
  explicit Registry(const std::vector<std::filesystem::path>& files);

  // After this call, the component comes only from this file, regardless of the order of the files.
  void choose(const std::string& kind_and_name, const std::filesystem::path& file) { chosen_[kind_and_name] = file; }
  // Adds a plugin built into this program, after all files.
  void add(const AssayPlugin& plugin) { files_.push_back({"", "", "", "", &plugin}); }

  const std::vector<PluginFile>& files() const { return files_; }
  // The component and its file; null when there is none.
  const AssayComponent* find(const std::string& kind, const std::string& name, const PluginFile** file = nullptr) const;
  std::string kind_of(const std::string& name) const;  // of the first component of this name; empty if none
  nlohmann::json describe() const;                     // the "plugins" list of descriptors

 private:
  std::vector<PluginFile> files_;
  std::map<std::string, std::filesystem::path> chosen_;
};

// All *.so files in the folders, in the order of the folders, then by name.
std::vector<std::filesystem::path> plugin_files(const std::vector<std::filesystem::path>& folders);

}  // namespace assay::loader
