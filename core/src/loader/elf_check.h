// Whether a file is a whole x86-64 shared library: what is checked before anything walks its tables or loads it.
#pragma once

#include <span>
#include <string>

namespace assay::loader {

// Empty when it is one; else what it is. Says nothing of what the tables hold: only that they lie within the file.
std::string elf_refusal(std::span<const char> bytes);

// Whether the name of any section begins with `prefix`. Of bytes that were not refused.
bool elf_has_section(std::span<const char> bytes, std::string_view prefix);

}  // namespace assay::loader
