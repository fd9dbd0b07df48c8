// Reading and writing whole files; writes are atomic (written aside, synced, renamed), so no reader sees a torn file.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace assay {

// Throws UserError naming the file and the cause.
std::string read_file(const std::filesystem::path& file);
void write_atomically(const std::filesystem::path& file, std::string_view content);

}  // namespace assay
