#include "record/build_id.h"

#include <elf.h>
#include <link.h>

#include <cstring>
#include <fstream>
#include <vector>

namespace assay::record {
namespace {

constexpr size_t kMaxNoteBytes = 1 << 20;

// Finds the build id among the notes of one segment. Every read stays inside [notes, notes + size).
std::string find_build_id(const char* notes, size_t size, size_t alignment) {
  const auto padded = [&](size_t length) { return (length + alignment - 1) / alignment * alignment; };
  for (size_t at = 0; size - at >= sizeof(Elf64_Nhdr);) {
    Elf64_Nhdr note;
    std::memcpy(&note, notes + at, sizeof note);
    const size_t name = at + sizeof note;
    if (padded(note.n_namesz) > size - name) return "";
    const size_t content = name + padded(note.n_namesz);
    if (note.n_descsz > size - content) return "";
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(notes + name, "GNU", 4) == 0) {
      std::string hex;
      for (size_t i = 0; i < note.n_descsz; ++i) {
        const auto byte = static_cast<unsigned char>(notes[content + i]);
        hex += "0123456789abcdef"[byte >> 4];
        hex += "0123456789abcdef"[byte & 15];
      }
      return hex;
    }
    if (padded(note.n_descsz) > size - content) return "";
    at = content + padded(note.n_descsz);
  }
  return "";
}

size_t note_alignment(size_t segment_alignment) { return segment_alignment == 8 ? 8 : 4; }

}  // namespace

std::string build_id_of_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const auto read_at = [&](size_t offset, void* into, size_t size) {
    stream.seekg(static_cast<std::streamoff>(offset));
    return static_cast<bool>(stream.read(static_cast<char*>(into), static_cast<std::streamsize>(size)));
  };
  Elf64_Ehdr header;
  if (!read_at(0, &header, sizeof header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_phentsize != sizeof(Elf64_Phdr))
    return "";
  for (size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (!read_at(header.e_phoff + i * sizeof segment, &segment, sizeof segment)) return "";
    if (segment.p_type != PT_NOTE || segment.p_filesz > kMaxNoteBytes) continue;
    std::vector<char> notes(segment.p_filesz);
    if (!read_at(segment.p_offset, notes.data(), notes.size())) return "";
    const auto id = find_build_id(notes.data(), notes.size(), note_alignment(segment.p_align));
    if (!id.empty()) return id;
  }
  return "";
}

std::string build_id_of_loaded(const void* address) {
  struct Search {
    ElfW(Addr) address;
    std::string id;
  } search{reinterpret_cast<ElfW(Addr)>(address), ""};
  const auto visit = [](dl_phdr_info* info, size_t, void* data) {
    auto& wanted = *static_cast<Search*>(data);
    bool contains_address = false;
    for (size_t i = 0; i < info->dlpi_phnum; ++i) {
      const auto& segment = info->dlpi_phdr[i];
      const auto begin = info->dlpi_addr + segment.p_vaddr;
      contains_address |=
          segment.p_type == PT_LOAD && wanted.address >= begin && wanted.address - begin < segment.p_memsz;
    }
    if (!contains_address) return 0;
    for (size_t i = 0; i < info->dlpi_phnum && wanted.id.empty(); ++i) {
      const auto& segment = info->dlpi_phdr[i];
      if (segment.p_type == PT_NOTE)
        wanted.id = find_build_id(reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr), segment.p_memsz,
                                  note_alignment(segment.p_align));
    }
    return 1;
  };
  ::dl_iterate_phdr(visit, &search);
  return search.id;
}

}  // namespace assay::record
