// What is refused before any of its code runs, and with which words.
#include "loader/abi_check.h"

#include <dlfcn.h>
#include <elf.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <random>

#include "loader/registry.h"
#include "record/files.h"
#include "unit/loader/fixture_files.h"
#include "unit/temporary_folder.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::fixture;
using testing::good_plugin;
using ::testing::HasSubstr;
using ::testing::Not;

class AbiCheck : public ::testing::Test {
 protected:
  AbiCheck() : marker_(folder_ / "marker") { ::setenv("ASSAY_FIXTURE_MARKER", marker_.c_str(), 1); }
  ~AbiCheck() override { ::unsetenv("ASSAY_FIXTURE_MARKER"); }

  // Refused by the check and by the registry, with the same words.
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
    EXPECT_EQ(abi_refusal(good_plugin(name)), "") << name;
}

TEST_F(AbiCheck, CodeOfAnotherAbiNeverRuns) {
  const auto words = refusal(fixture("other_abi"));
  EXPECT_THAT(words,
              AllOf(HasSubstr("api: plugin 0, this assay "), HasSubstr("torch: plugin 1_13_1, this assay 2_11_0"),
                    HasSubstr("headers: plugin 0123456789abcdef, this assay ")));
  EXPECT_THAT(words, AllOf(Not(HasSubstr("compiler")), Not(HasSubstr("sanitizer")), HasSubstr("build it again")));
  const Registry registry({fixture("other_abi")});
  EXPECT_EQ(registry.files()[0].error, words);
  EXPECT_EQ(registry.find("positional", "other_abi"), nullptr);
  EXPECT_FALSE(fs::exists(marker_));
}

// The control of the test above: its code does run where nobody checks.
TEST_F(AbiCheck, CodeOfAnotherAbiWouldRun) {
  const auto file = fixture("other_abi");
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL) ? 0 : 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(fs::exists(marker_));
}

TEST_F(AbiCheck, WhatIsNoPluginIsToldWhatItIs) {
  EXPECT_THAT(refusal(fixture("not_a_plugin")), HasSubstr("is not an assay plugin (it has no ABI tag)"));
  EXPECT_THAT(refusal(folder_.write("text.so", "INPUT(libc.so.6)\n")), HasSubstr("is not a shared library"));
  EXPECT_THAT(refusal(folder_.write("empty.so", "")), HasSubstr("is not a shared library"));
  fs::create_directory(folder_ / "folder.so");
  EXPECT_EQ(refusal(folder_ / "folder.so"), "is not a file");
  fs::create_symlink(folder_ / "gone", folder_ / "link.so");
  EXPECT_EQ(refusal(folder_ / "link.so"), "is not a file");
}

TEST_F(AbiCheck, AnotherMachine) {
  auto bytes = read_file(good_plugin("none"));
  bytes[offsetof(Elf64_Ehdr, e_machine)] = static_cast<char>(EM_AARCH64);
  bytes[offsetof(Elf64_Ehdr, e_machine) + 1] = static_cast<char>(EM_AARCH64 >> 8);
  EXPECT_THAT(refusal(folder_.write("arm.so", bytes)), HasSubstr("another machine"));
}

TEST_F(AbiCheck, CutFilesAreDamaged) {
  const auto bytes = read_file(good_plugin("none"));
  for (const size_t kept : {sizeof(Elf64_Ehdr), bytes.size() / 4, bytes.size() / 2, bytes.size() - 1})
    EXPECT_THAT(refusal(folder_.write("cut.so", bytes.substr(0, kept))), HasSubstr("is a damaged shared library"))
        << kept;
}

TEST_F(AbiCheck, SectionTableBeyondTheFile) {
  for (const uint64_t offset : {uint64_t{1} << 40, UINT64_MAX, UINT64_MAX - 63}) {
    auto bytes = read_file(good_plugin("none"));
    std::memcpy(bytes.data() + offsetof(Elf64_Ehdr, e_shoff), &offset, sizeof offset);
    EXPECT_THAT(refusal(folder_.write("offset.so", bytes)), HasSubstr("its section table lies outside the file"))
        << offset;
  }
}

// Only the check: what it lets pass with a damaged program inside is for the process that loads it.
TEST_F(AbiCheck, DamagedTablesNeverCrashTheCheck) {
  const auto good = read_file(good_plugin("none"));
  Elf64_Ehdr header;
  std::memcpy(&header, good.data(), sizeof header);
  std::vector<std::pair<size_t, size_t>> tables = {{0, sizeof header},
                                                   {header.e_shoff, header.e_shnum * sizeof(Elf64_Shdr)}};
  for (size_t i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section;
    std::memcpy(&section, good.data() + header.e_shoff + i * sizeof section, sizeof section);
    if (section.sh_type == SHT_DYNSYM || section.sh_type == SHT_STRTAB || section.sh_type == SHT_SYMTAB)
      tables.push_back({section.sh_offset, section.sh_size});
  }
  std::mt19937_64 random(7);
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    auto bytes = good;
    const auto [begin, size] = tables[round % tables.size()];
    for (int change = 0; change < 4; ++change) {
      const size_t at = begin + random() % size;
      const uint64_t value = random() % 2 ? UINT64_MAX : random();
      std::memcpy(bytes.data() + at, &value, std::min(bytes.size() - at, 1 + random() % 8));
    }
    refused += !abi_refusal(folder_.write("damaged.so", bytes)).empty();
  }
  EXPECT_GT(refused, 50);
}

}  // namespace
}  // namespace assay
