// The linker's build id (NT_GNU_BUILD_ID note) of an ELF file or of a loaded library: what names a piece of code.
#pragma once

#include <filesystem>
#include <string>

namespace assay::record {

// Hex digits; empty when the file is no 64-bit ELF file of this machine's byte order, is damaged, or has no such note.
std::string build_id_of_file(const std::filesystem::path& file);

// Of the program or library that holds this address (a function's or a variable's); empty when it has no such note.
std::string build_id_of_loaded(const void* address);

}  // namespace assay::record
