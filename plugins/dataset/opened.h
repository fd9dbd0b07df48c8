// For tests of datasets that read files: the dataset of a name, opened on a path as a plan gives it.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "assay/dataset.h"
#include "assay/error.h"
#include "harness.h"

namespace assay::testing {

inline constexpr Split kSplits[] = {Split::kTrain, Split::kValidation, Split::kTest};

// const Opened open{"text"};  open(path, {{"document", "chapter"}})
struct Opened {
  const char* dataset;

  Made<Dataset> operator()(const std::filesystem::path& path,
                           nlohmann::json parameters = nlohmann::json::object()) const {
    parameters["path"] = {{"path", path.string()}, {"sha256", "f00d"}, {"name", path.filename().string()}};
    return make<Dataset>(dataset, std::move(parameters));
  }

  // What the dataset says against these; "no error" when it opens.
  std::string error(const std::filesystem::path& path,
                    const nlohmann::json& parameters = nlohmann::json::object()) const {
    try {
      (*this)(path, parameters);
    } catch (const PluginError& error) {
      return error.what();
    }
    return "no error";
  }
};

}  // namespace assay::testing
