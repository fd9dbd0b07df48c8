// The files that a path means: itself, or those of a folder.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "assay/error.h"

namespace assay::dataset {

// A file by itself; of a folder the files with one of these endings, in order of names. UserError when it has none.
inline std::vector<std::filesystem::path> listed_files(const std::string& dataset, const std::filesystem::path& path,
                                                       const std::vector<std::string>& endings) {
  if (!std::filesystem::is_directory(path)) return {path};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(path))
    if (std::find(endings.begin(), endings.end(), entry.path().extension().string()) != endings.end())
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  if (!files.empty()) return files;
  std::string all;
  for (const auto& ending : endings) all += (all.empty() ? "" : " or ") + ending;
  throw UserError(dataset + ": " + path.string() + " contains no " + all + " file");
}

}  // namespace assay::dataset
