// The folder of the repository that the tests were built from; ctest sets it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace assay::testing {

inline std::filesystem::path source_folder() {
  const char* folder = std::getenv("ASSAY_SOURCE_DIR");
  if (!folder) throw std::runtime_error("ASSAY_SOURCE_DIR is not set; ctest sets it");
  return folder;
}

inline std::filesystem::path fake_worker() { return source_folder() / "tests" / "fixtures" / "fake_worker.sh"; }

}  // namespace assay::testing
