// Checks that a file is a complete shared library for this architecture, before its tables are read or it is loaded.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace assay::loader {

// Returns an empty string when it is one, else the reason. Checks only that the tables are inside the file, not their
// content.
std::string elf_refusal(std::span<const char> bytes);

// Whether the name of any section begins with `prefix`. The bytes must have passed elf_refusal.
bool elf_has_section(std::span<const char> bytes, std::string_view prefix);

// Whether any symbol of the dynamic linker, defined or needed, begins with `prefix`. The bytes must have passed
// elf_refusal.
bool elf_has_symbol(std::span<const char> bytes, std::string_view prefix);

}  // namespace assay::loader
