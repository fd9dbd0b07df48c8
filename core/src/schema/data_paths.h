// Finds the files and folders that parameters name, and hashes their content.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "document/diagnostics.h"
#include "document/node.h"

namespace assay::schema {

class PathFinder {
 public:
  PathFinder() = default;  // without a corpus folder
  // ASSAY_DATA, else the first `.data` folder going up from the experiment's folder, then from the current one. Paths
  // on the command line are relative to `folder` if given, else to the current folder.
  explicit PathFinder(const std::filesystem::path& experiment_file, std::filesystem::path folder = {});

  // Returns {"path","sha256","name"} of a corpus or a file inside one ("austen", "gpt2/vocab.bpe"), else of a file or
  // folder relative to the file that names it; null after an error.
  nlohmann::json find(const std::string& name, const document::Position& position, document::Diagnostics& diagnostics);
  // Absolute paths of all files and folders found so far.
  std::vector<std::string> found() const;

 private:
  std::filesystem::path folder_;
  std::optional<std::filesystem::path> data_root_;
  std::map<std::string, std::string> hashes_;  // each path is read once per plan
};

}  // namespace assay::schema
