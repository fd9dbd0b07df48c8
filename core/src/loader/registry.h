// Finds plugins, checks them before any of their code runs, loads them for good, and knows their components.
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
  std::string error;                    // why it was refused; empty when loaded
  const AssayPlugin* plugin = nullptr;  // null when refused
};

class Registry {
 public:
  // A bad file is refused, never fatal. Of two components of one kind and name the first wins.
  explicit Registry(const std::vector<std::filesystem::path>& files);

  // From now on the component comes from this file alone, wherever the file stands among them.
  void choose(const std::string& kind_and_name, const std::filesystem::path& file) { chosen_[kind_and_name] = file; }
  // A plugin of this program itself, behind all files.
  void add(const AssayPlugin& plugin) { files_.push_back({"", "", "", "", &plugin}); }

  const std::vector<PluginFile>& files() const { return files_; }
  // The component and the file it came from; null when there is none.
  const AssayComponent* find(const std::string& kind, const std::string& name, const PluginFile** file = nullptr) const;
  std::string kind_of(const std::string& name) const;  // of the first component of this name; empty without one
  nlohmann::json describe() const;                     // the "plugins" list of descriptors

 private:
  std::vector<PluginFile> files_;
  std::map<std::string, std::filesystem::path> chosen_;
};

// Every *.so of the folders, in the order of the folders, then by name.
std::vector<std::filesystem::path> plugin_files(const std::vector<std::filesystem::path>& folders);

}  // namespace assay::loader
