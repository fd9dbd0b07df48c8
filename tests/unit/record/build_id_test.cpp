// Compared with the output of readelf, and on files that are corrupt on purpose.
#include "record/build_id.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/files.h"
#include "base/process.h"
#include "unit/temporary_folder.h"

namespace assay::record {
namespace {

std::string readelf(const std::filesystem::path& file) {
  const auto notes = base::capture_output({"readelf", "-n", file.string()}).value_or("");
  const std::string mark = "Build ID: ";
  const auto begin = notes.find(mark) + mark.size();
  return notes.substr(begin, notes.find('\n', begin) - begin);
}

TEST(BuildId, OfFilesAndLoadedLibraries) {
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  const auto expected = readelf(self);
  ASSERT_EQ(expected.size(), 40u);
  EXPECT_EQ(build_id_of_file(self), expected);
  static const int here = 0;
  EXPECT_EQ(build_id_of_loaded(&here), expected);
  const auto library = self.parent_path().parent_path() / "lib" / "libassay_lab.so";
  EXPECT_EQ(build_id_of_file(library), readelf(library));
  EXPECT_EQ(build_id_of_loaded(reinterpret_cast<const void*>(&build_id_of_file)), readelf(library));
  EXPECT_EQ(build_id_of_loaded(nullptr), "");
}

TEST(BuildId, EmptyForOtherAndCorruptFiles) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(build_id_of_file(folder / "none"), "");
  EXPECT_EQ(build_id_of_file(folder.path()), "");
  EXPECT_EQ(build_id_of_file(folder.write("text", "no program")), "");
  const auto whole = base::read_file("/proc/self/exe");
  for (const size_t size : {4u, 63u, 64u, 100u, 400u})
    EXPECT_EQ(build_id_of_file(folder.write("cut", whole.substr(0, size))), "") << size;
}

// One note segment whose note has sizes that lead outside it.
TEST(BuildId, SizesOutsideTheFile) {
  const testing::TemporaryFolder folder;
  for (const std::uint32_t name_size : {4u, 0xfffffffdu, 0xffffffffu})
    for (const std::uint32_t content_size : {21u, 0x7fffffffu, 0xffffffffu}) {
      Elf64_Ehdr header{};
      std::memcpy(header.e_ident, ELFMAG, SELFMAG);
      header.e_ident[EI_CLASS] = ELFCLASS64;
      header.e_ident[EI_DATA] = ELFDATA2LSB;
      header.e_phoff = sizeof header;
      header.e_phentsize = sizeof(Elf64_Phdr);
      header.e_phnum = 1;
      Elf64_Phdr segment{};
      segment.p_type = PT_NOTE;
      segment.p_offset = sizeof header + sizeof segment;
      segment.p_filesz = 36;  // the note's header, "GNU", 20 bytes
      segment.p_align = 4;
      const Elf64_Nhdr note{name_size, content_size, NT_GNU_BUILD_ID};
      std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
      bytes.append(reinterpret_cast<const char*>(&segment), sizeof segment);
      bytes.append(reinterpret_cast<const char*>(&note), sizeof note).append("GNU\0", 4).append(20, 'x');
      EXPECT_EQ(build_id_of_file(folder.write("elf", bytes)), "") << name_size << " " << content_size;
    }
}

}  // namespace
}  // namespace assay::record
