#include "loader/elf_check.h"

#include <elf.h>

#include <cstring>
#include <optional>

namespace assay::loader {
namespace {

#if defined(__x86_64__)
constexpr auto kMachine = EM_X86_64;
constexpr const char* kArchitecture = "x86-64";
#elif defined(__aarch64__)
constexpr auto kMachine = EM_AARCH64;
constexpr const char* kArchitecture = "aarch64";
#else
#error "assay is built for x86-64 and aarch64 only"
#endif

// Returns a copy of the structure of type T at `offset`, or no value when it would extend past the end. It is a copy
// because offsets in a corrupt file may be unaligned.
template <class T>
std::optional<T> at(std::span<const char> bytes, uint64_t offset) {
  if (offset > bytes.size() || sizeof(T) > bytes.size() - offset) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

bool lies_within(std::span<const char> bytes, uint64_t offset, uint64_t size) {
  return offset <= bytes.size() && size <= bytes.size() - offset;
}

Elf64_Shdr section_of(std::span<const char> bytes, const Elf64_Ehdr& header, size_t i) {
  return *at<Elf64_Shdr>(bytes, header.e_shoff + i * sizeof(Elf64_Shdr));
}

std::string_view text_of(std::span<const char> bytes, const Elf64_Shdr& section) {
  return {bytes.data() + section.sh_offset, section.sh_size};
}

std::string damage(const std::string& what) { return "the file is a corrupt shared library (" + what + ")"; }

std::string sections_refusal(std::span<const char> bytes, const Elf64_Ehdr& header) {
  if (header.e_shentsize != sizeof(Elf64_Shdr) ||
      !lies_within(bytes, header.e_shoff, header.e_shnum * sizeof(Elf64_Shdr)))
    return damage("its section table is outside the file");
  // A string table that occupies no bytes of the file could claim any size, and readers would allocate it.
  if (header.e_shstrndx >= header.e_shnum || section_of(bytes, header, header.e_shstrndx).sh_type != SHT_STRTAB)
    return damage("it has no section names");
  for (size_t i = 0; i < header.e_shnum; ++i) {
    const auto section = section_of(bytes, header, i);
    if (section.sh_type != SHT_NOBITS && !lies_within(bytes, section.sh_offset, section.sh_size))
      return damage("section " + std::to_string(i) + " is outside the file");
  }
  return "";
}

std::string segments_refusal(std::span<const char> bytes, const Elf64_Ehdr& header) {
  if (header.e_phentsize != sizeof(Elf64_Phdr) ||
      !lies_within(bytes, header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr)))
    return damage("its segment table is outside the file");
  for (size_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = *at<Elf64_Phdr>(bytes, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (!lies_within(bytes, segment.p_offset, segment.p_filesz))
      return damage("segment " + std::to_string(i) + " is outside the file");
  }
  return "";
}

}  // namespace

std::string elf_refusal(std::span<const char> bytes) {
  if (bytes.size() < SELFMAG || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0)
    return "the file is not a shared library (it has no ELF header)";
  const auto header = at<Elf64_Ehdr>(bytes, 0);
  if (!header) return damage("its header is truncated");
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
      header->e_machine != kMachine)
    return std::string("the file is a shared library for another architecture; it must be ") + kArchitecture;
  if (header->e_type != ET_DYN) return "the file is not a shared library (it is an ELF program or object file)";
  const auto sections = sections_refusal(bytes, *header);
  return sections.empty() ? segments_refusal(bytes, *header) : sections;
}

bool elf_has_section(std::span<const char> bytes, std::string_view prefix) {
  const auto header = *at<Elf64_Ehdr>(bytes, 0);
  const auto names = text_of(bytes, section_of(bytes, header, header.e_shstrndx));
  for (size_t i = 0; i < header.e_shnum; ++i) {
    const auto name = section_of(bytes, header, i).sh_name;
    if (name < names.size() && names.substr(name).starts_with(prefix)) return true;
  }
  return false;
}

// The names are among the strings of the dynamic linker, each with a 0 before it.
bool elf_has_symbol(std::span<const char> bytes, std::string_view prefix) {
  const auto header = *at<Elf64_Ehdr>(bytes, 0);
  const auto name = '\0' + std::string(prefix);
  for (size_t i = 0; i < header.e_shnum; ++i) {
    const auto section = section_of(bytes, header, i);
    const bool is_dynamic = section.sh_type == SHT_STRTAB && (section.sh_flags & SHF_ALLOC);
    if (is_dynamic && text_of(bytes, section).find(name) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace assay::loader
