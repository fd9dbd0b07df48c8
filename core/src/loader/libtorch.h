// The version of LibTorch that this process has loaded, which LD_LIBRARY_PATH may make another one than the headers'.
#pragma once

#include <string>

namespace assay::loader {

// Of at::show_config's text; empty where it names none.
inline std::string libtorch_version_in(const std::string& config) {
  const std::string key = "TORCH_VERSION=";
  const auto found = config.find(key);
  if (found == std::string::npos) return "";
  const auto begin = found + key.size();
  return config.substr(begin, config.find_first_of(", \n", begin) - begin);
}

std::string loaded_libtorch();

}  // namespace assay::loader
