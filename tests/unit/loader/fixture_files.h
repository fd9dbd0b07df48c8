// The paths of the real plugins and of those in tests/fixtures/plugins in the build tree.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace assay::testing {

inline std::filesystem::path build_folder() {
  const char* folder = std::getenv("ASSAY_BIN_DIR");
  if (!folder) throw std::runtime_error("ASSAY_BIN_DIR is not set; ctest sets it");
  return std::filesystem::path(folder).parent_path();
}

inline std::filesystem::path fixture_folder(const std::string& name) { return build_folder() / "fixtures" / name; }
inline std::filesystem::path fixture(const std::string& name) { return fixture_folder(name) / (name + ".so"); }
inline std::filesystem::path good_plugin(const std::string& name) {
  return build_folder() / "lib/assay/plugins" / (name + ".so");
}

}  // namespace assay::testing
