// Files that are refused before any of their code runs, and the messages.
#include "loader/abi_check.h"

#include <dlfcn.h>
#include <elf.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <random>

#include "base/files.h"
#include "loader/elf_check.h"
#include "loader/registry.h"
#include "unit/loader/fixture_files.h"
#include "unit/temporary_folder.h"

namespace assay::loader {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::fixture;
using testing::good_plugin;
using ::testing::HasSubstr;
using ::testing::Not;

// Limits how much more memory this process may reserve.
class MemoryLimit {
 public:
  explicit MemoryLimit(size_t bytes) {
    ::getrlimit(RLIMIT_DATA, &before_);
    size_t pages = 0;
    std::ifstream statm("/proc/self/statm");
    for (int field = 0; field < 6; ++field) statm >> pages;  // the sixth value is the one that the limit counts
    const rlimit limit{pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE)) + bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_DATA, &limit);
  }
  ~MemoryLimit() { ::setrlimit(RLIMIT_DATA, &before_); }

 private:
  rlimit before_{};
};

class AbiCheck : public ::testing::Test {
 protected:
  AbiCheck() : marker_(folder_ / "marker") { ::setenv("ASSAY_FIXTURE_MARKER", marker_.c_str(), 1); }
  ~AbiCheck() override { ::unsetenv("ASSAY_FIXTURE_MARKER"); }

  // The check and the registry refuse the file with the same message.
  std::string refusal(const fs::path& file) {
    const auto words = abi_refusal(file);
    const Registry registry({file});
    EXPECT_EQ(registry.files().at(0).plugin, nullptr) << file;
    EXPECT_FALSE(registry.files().at(0).error.empty()) << file;
    return words;
  }

  testing::TemporaryFolder folder_;
  fs::path marker_;
};

TEST_F(AbiCheck, GoodPluginsPass) {
  for (const char* name : {"alibi", "none", "gpt", "text", "adamw"})
    EXPECT_EQ(abi_refusal(testing::good_plugin(name)), "") << name;
}

TEST_F(AbiCheck, CodeOfAnotherAbiNeverRuns) {
  const auto words = refusal(testing::fixture("other_abi"));
  EXPECT_THAT(words, AllOf(HasSubstr("api: plugin 0, this assay "), HasSubstr("torch: plugin 1_13_1, this assay 2_"),
                           HasSubstr("headers: plugin 0123456789abcdef, this assay ")));
  EXPECT_THAT(words, AllOf(Not(HasSubstr("stdlib")), Not(HasSubstr("sanitizer")), HasSubstr("rebuild it")));
  const Registry registry({testing::fixture("other_abi")});
  EXPECT_EQ(registry.files()[0].error, words);
  EXPECT_EQ(registry.find("positional", "other_abi"), nullptr);
  EXPECT_FALSE(fs::exists(marker_));
}

// Kinds without tensors do not depend on the version of LibTorch.
TEST_F(AbiCheck, OnlyPluginsWithTensorsNameAVersionOfLibTorch) {
  for (const char* name : {"constant", "text", "bytes", "jsonl"}) {
    const auto bytes = base::read_file(testing::good_plugin(name));
    EXPECT_EQ(bytes.find("__torch_"), std::string::npos) << name;
    EXPECT_FALSE(elf_has_symbol(bytes, "_ZN2at")) << name;
    // The names of the libraries that it needs are among the same strings.
    EXPECT_TRUE(elf_has_symbol(bytes, "libassay_run.so")) << name;
    EXPECT_FALSE(elf_has_symbol(bytes, "libc10.so")) << name;
    EXPECT_FALSE(elf_has_symbol(bytes, "libtorch_cpu.so")) << name;
  }
  const auto bytes = base::read_file(testing::good_plugin("gpt"));
  EXPECT_NE(bytes.find("__torch_"), std::string::npos);
  EXPECT_TRUE(elf_has_symbol(bytes, "_ZN2at"));
  EXPECT_THAT(refusal(testing::fixture("hides_libtorch")),
              HasSubstr("uses LibTorch, but its tag does not name the version; include assay/tensor.h"));
}

// The control of the test above: without the check, the code runs.
TEST_F(AbiCheck, WithoutTheCheckCodeOfAnotherAbiRuns) {
  const auto file = testing::fixture("other_abi");
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL) ? 0 : 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(fs::exists(marker_));
}

TEST_F(AbiCheck, FilesThatAreNotPluginsAreNamedForWhatTheyAre) {
  EXPECT_THAT(refusal(testing::fixture("not_a_plugin")), HasSubstr("is not an assay plugin (it has no ABI tag)"));
  EXPECT_THAT(refusal(folder_.write("text.so", "INPUT(libc.so.6)\n")), HasSubstr("is not a shared library"));
  EXPECT_THAT(refusal(folder_.write("empty.so", "")), HasSubstr("is not a shared library"));
  fs::create_directory(folder_ / "folder.so");
  EXPECT_EQ(refusal(folder_ / "folder.so"), "the file is not a regular file");
  fs::create_symlink(folder_ / "gone", folder_ / "link.so");
  EXPECT_EQ(refusal(folder_ / "link.so"), "the file is not a regular file");
  ASSERT_EQ(::mkfifo((folder_ / "pipe.so").c_str(), 0600), 0);
  EXPECT_EQ(refusal(folder_ / "pipe.so"), "the file is not a regular file");
}

// Returns a copy of a good plugin with one value overwritten.
template <class Value>
std::string changed(size_t offset, Value value) {
  auto bytes = base::read_file(testing::good_plugin("none"));
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  return bytes;
}

Elf64_Ehdr header_of(const std::string& bytes) {
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}

TEST_F(AbiCheck, AnotherMachine) {
  const auto another = HasSubstr("the file is a shared library for another architecture; it must be x86-64");
  const auto write = [&](const std::string& bytes) { return folder_.write("other.so", bytes); };
  EXPECT_THAT(refusal(write(changed(offsetof(Elf64_Ehdr, e_machine), uint16_t{EM_AARCH64}))), another);
  EXPECT_THAT(refusal(write(changed(EI_CLASS, char{ELFCLASS32}))), another);
  EXPECT_THAT(refusal(write(changed(EI_DATA, char{ELFDATA2MSB}))), another);
}

TEST_F(AbiCheck, AProgramIsNotALibrary) {
  const auto file = folder_.write("program.so", changed(offsetof(Elf64_Ehdr, e_type), uint16_t{ET_EXEC}));
  EXPECT_EQ(refusal(file), "the file is not a shared library (it is an ELF program or object file)");
  // Today's programs have the type of libraries; they have no tag.
  EXPECT_THAT(refusal(testing::build_folder() / "bin/assay"), HasSubstr("it has no ABI tag"));
}

TEST_F(AbiCheck, TruncatedFilesAreCorrupt) {
  const auto bytes = base::read_file(testing::good_plugin("none"));
  const auto header = header_of(bytes);
  std::vector<size_t> cuts = {SELFMAG,        SELFMAG + 1,        EI_NIDENT,
                              sizeof header,  header.e_phoff,     header.e_phoff + sizeof(Elf64_Phdr),
                              header.e_shoff, header.e_shoff + 1, bytes.size() - 1};
  for (size_t i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section;
    std::memcpy(&section, bytes.data() + header.e_shoff + i * sizeof section, sizeof section);
    cuts.insert(cuts.end(), {section.sh_offset, section.sh_offset + 1, header.e_shoff + i * sizeof section});
  }
  std::mt19937_64 random(5);
  for (int i = 0; i < 200; ++i) cuts.push_back(SELFMAG + random() % (bytes.size() - SELFMAG));
  for (const size_t kept : cuts) {
    const auto file = folder_.write("cut.so", bytes.substr(0, kept));
    EXPECT_THAT(abi_refusal(file),
                kept < SELFMAG ? HasSubstr("no ELF header") : HasSubstr("the file is a corrupt shared library ("))
        << kept;
  }
}

TEST_F(AbiCheck, TablesWithTooLargeCountsAreCorrupt) {
  const auto header = header_of(base::read_file(testing::good_plugin("none")));
  const auto names = header.e_shoff + header.e_shstrndx * sizeof(Elf64_Shdr);
  const size_t segment = header.e_phoff;
  const auto words = [&](size_t offset, auto value) {
    return refusal(folder_.write("changed.so", changed(offset, value)));
  };
  const std::string table = "the file is a corrupt shared library (its section table is outside the file)",
                    no_names = "the file is a corrupt shared library (it has no section names)";
  EXPECT_EQ(words(offsetof(Elf64_Ehdr, e_shnum), uint16_t{0xffff}), table);
  EXPECT_EQ(words(offsetof(Elf64_Ehdr, e_shentsize), uint16_t{1}), table);
  EXPECT_EQ(words(offsetof(Elf64_Ehdr, e_shnum), uint16_t{0}), no_names);
  EXPECT_EQ(words(offsetof(Elf64_Ehdr, e_shstrndx), uint16_t{0xffff}), no_names);
  EXPECT_EQ(words(offsetof(Elf64_Ehdr, e_shstrndx), header.e_shnum), no_names);
  EXPECT_EQ(words(offsetof(Elf64_Ehdr, e_phnum), uint16_t{0xffff}),
            "the file is a corrupt shared library (its segment table is outside the file)");
  EXPECT_EQ(words(segment + offsetof(Elf64_Phdr, p_filesz), uint64_t{1} << 40),
            "the file is a corrupt shared library (segment 0 is outside the file)");
  EXPECT_EQ(words(header.e_shoff + sizeof(Elf64_Shdr) + offsetof(Elf64_Shdr, sh_size), UINT64_MAX),
            "the file is a corrupt shared library (section 1 is outside the file)");
  EXPECT_EQ(words(names + offsetof(Elf64_Shdr, sh_size), uint64_t{0}).substr(0, 35),
            "the file is not an assay plugin (it");
  // Names that take no bytes of the file could have any count: a naive reader would reserve memory for them.
  auto hollow = changed(names + offsetof(Elf64_Shdr, sh_type), uint32_t{SHT_NOBITS});
  const uint64_t size = uint64_t{1} << 45;
  std::memcpy(hollow.data() + names + offsetof(Elf64_Shdr, sh_size), &size, sizeof size);
  EXPECT_EQ(refusal(folder_.write("hollow.so", hollow)), no_names);
}

TEST_F(AbiCheck, SectionTableBeyondTheFile) {
  for (const uint64_t offset : {uint64_t{1} << 40, UINT64_MAX, UINT64_MAX - 63}) {
    auto bytes = base::read_file(testing::good_plugin("none"));
    std::memcpy(bytes.data() + offsetof(Elf64_Ehdr, e_shoff), &offset, sizeof offset);
    EXPECT_THAT(refusal(folder_.write("offset.so", bytes)), HasSubstr("its section table is outside the file"))
        << offset;
  }
}

// This tests only the check: a file that passes with corrupt code inside is left to the process that loads it.
TEST_F(AbiCheck, CorruptTablesNeverCrashTheCheck) {
  const auto good = base::read_file(testing::good_plugin("none"));
  const auto header = header_of(good);
  std::vector<std::pair<size_t, size_t>> tables = {{SELFMAG, sizeof header - SELFMAG},
                                                   {header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr)},
                                                   {header.e_shoff, header.e_shnum * sizeof(Elf64_Shdr)}};
  for (size_t i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section;
    std::memcpy(&section, good.data() + header.e_shoff + i * sizeof section, sizeof section);
    if (section.sh_type == SHT_DYNSYM || section.sh_type == SHT_STRTAB || section.sh_type == SHT_SYMTAB)
      tables.push_back({section.sh_offset, section.sh_size});
  }
  std::mt19937_64 random(7);
  // A reader that reserves memory for a corrupt size must fail here, not exhaust the machine's memory.
  const MemoryLimit limit(size_t{2} << 30);
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    auto bytes = good;
    const auto [begin, size] = tables[round % tables.size()];
    for (int change = 0; change < 4; ++change) {
      const size_t at = begin + random() % size;
      const uint64_t value = random() % 2 ? UINT64_MAX : random();
      std::memcpy(bytes.data() + at, &value, std::min(bytes.size() - at, 1 + random() % 8));
    }
    refused += !abi_refusal(folder_.write("damaged.so", bytes)).empty();
  }
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace assay::loader
