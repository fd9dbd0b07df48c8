// Files and folders that parameters name: where they are looked for, and the hash of what is there.
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
  PathFinder() = default;  // knows no corpora
  // ASSAY_DATA, else the first `.data` folder going up from the experiment's folder, then from the current one. Paths
  // on the command line are relative to `folder`, else to the current one.
  explicit PathFinder(const std::filesystem::path& experiment_file, std::filesystem::path folder = {});

  // {"path","sha256","name"} of a corpus or what stands in one ("austen", "gpt2/vocab.bpe"), else of a file or folder
  // relative to the file that names it; null after an error.
  nlohmann::json find(const std::string& name, const document::Position& position, document::Diagnostics& diagnostics);
  // All that it found, absolute.
  std::vector<std::string> found() const;

 private:
  std::filesystem::path folder_;
  std::optional<std::filesystem::path> data_root_;
  std::map<std::string, std::string> hashes_;  // each path is read once a plan
};

}  // namespace assay::schema
