// What the loader reads of a plugin's file before any of its code may run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace assay::loader {

inline constexpr std::uintmax_t kLargestPlugin = 1 << 30;  // bytes; what is larger is not read

// Empty when `file` is a plugin for this core; else a sentence that names every difference.
std::string abi_refusal(const std::filesystem::path& file);

}  // namespace assay::loader
