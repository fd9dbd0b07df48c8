// The version of LibTorch that this process has loaded. LD_LIBRARY_PATH may cause it to differ from that of the
// headers.
#pragma once

#include <string>

namespace assay::loader {

// Extracts the version from the text of at::show_config; empty if the text has none.
inline std::string libtorch_version_in(const std::string& config) {
  const std::string key = "TORCH_VERSION=";
  const auto found = config.find(key);
  if (found == std::string::npos) return "";
  const auto begin = found + key.size();
  return config.substr(begin, config.find_first_of(", \n", begin) - begin);
}

std::string loaded_libtorch();

}  // namespace assay::loader
