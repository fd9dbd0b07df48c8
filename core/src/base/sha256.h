// SHA-256 of bytes and files, as 64 lower-case hex digits (OpenSSL).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace assay::base {

std::string sha256(std::string_view bytes);

// Throws UserError when the file cannot be read.
std::string sha256_of_file(const std::filesystem::path& file);

// A folder's identity: SHA-256 over the sorted lines "<sha256 of file>  <relative path>\n" of its regular files.
std::string sha256_of_path(const std::filesystem::path& file_or_folder);

}  // namespace assay::base
