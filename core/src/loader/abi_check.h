// Checks a plugin file before any of its code runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace assay::loader {

inline constexpr std::uintmax_t kMaxPluginBytes = 1 << 30;  // bytes; larger files are not read

// Returns an empty string when `file` is a plugin for this core, else a message that names every difference.
std::string abi_refusal(const std::filesystem::path& file);

}  // namespace assay::loader
