// The linker's build id (NT_GNU_BUILD_ID note) of an ELF file or of a loaded library. It identifies code.
#pragma once

#include <filesystem>
#include <string>

namespace assay::record {

// Hex digits; empty when the file is not a 64-bit ELF file in this machine's byte order, is corrupt, or has no such
// note.
std::string build_id_of_file(const std::filesystem::path& file);

// The build id of the program or library that contains this address (of a function or a variable); empty when it has no
// such note.
std::string build_id_of_loaded(const void* address);

}  // namespace assay::record
