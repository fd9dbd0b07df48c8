// The state of a Git repository made by the test, and machine facts from a fixed /proc/cpuinfo.
#include "record/provenance.h"

#include <gmock/gmock.h>

#include "base/files.h"
#include "base/process.h"
#include "base/sha256.h"
#include "unit/temporary_folder.h"

namespace assay::record {
namespace {

void git(const std::filesystem::path& folder, std::vector<std::string> arguments) {
  std::vector<std::string> command{"git", "-C", folder.string(), "-c", "user.name=a", "-c", "user.email=a@b"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  ASSERT_TRUE(base::capture_output(command));
}

TEST(GitState, CommitAndChanges) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(git_state(folder.path()).commit, "");
  git(folder.path(), {"init", "-q"});
  folder.write("a", "one\n");
  git(folder.path(), {"add", "a"});
  git(folder.path(), {"commit", "-q", "-m", "first"});
  const auto clean = git_state(folder.path());
  EXPECT_THAT(clean.commit, ::testing::MatchesRegex("[0-9a-f]{40}"));
  EXPECT_EQ(clean.dirty, "");
  folder.write("a", "two\n");
  const auto dirty = git_state(folder.path());
  EXPECT_EQ(dirty.commit, clean.commit);
  EXPECT_EQ(dirty.dirty,
            base::sha256(*base::capture_output({"git", "-C", folder.path().string(), "diff", "--binary", "HEAD"})));
  folder.write("a", "three\n");
  EXPECT_NE(git_state(folder.path()).dirty, dirty.dirty);
}

TEST(GitState, UntrackedFilesAreChangesToo) {
  const testing::TemporaryFolder folder;
  git(folder.path(), {"init", "-q"});
  folder.write("a", "one\n");
  folder.write(".gitignore", "ignored\n");
  git(folder.path(), {"add", "."});
  git(folder.path(), {"commit", "-q", "-m", "first"});
  folder.write("ignored", "not this\n");
  EXPECT_EQ(git_state(folder.path()).dirty, "");
  folder.write("inner/new", "fresh\n");
  folder.write("a", "two\n");
  const auto state = git_state(folder.path() / "inner");  // from any folder of the repository
  EXPECT_EQ(state.dirty, base::sha256(state.changes));
  // The user's own index is unchanged.
  EXPECT_EQ(*base::capture_output({"git", "-C", folder.path().string(), "status", "--porcelain"}), " M a\n?? inner/\n");
  // The commit and the changes give the same tree.
  const testing::TemporaryFolder aside;
  const auto patch = aside.write("changes.diff", state.changes);
  git(folder.path(), {"stash", "push", "-q", "--include-untracked"});
  git(folder.path(), {"apply", patch.string()});
  EXPECT_EQ(base::read_file(folder.path() / "a"), "two\n");
  EXPECT_EQ(base::read_file(folder.path() / "inner/new"), "fresh\n");
}

TEST(GitState, MissingFoldersHaveNone) { EXPECT_EQ(git_state("/nowhere at all").commit, ""); }

TEST(CpuInfo, ModelAndWidestInstructions) {
  const std::string intel =
      "processor\t: 0\nmodel\t\t: 143\nmodel name\t: Some CPU @ 2.00GHz\nflags\t\t: fpu avx2 avx512f amx_tile\n";
  EXPECT_EQ(cpu_model(intel), "Some CPU @ 2.00GHz");
  EXPECT_EQ(instruction_set(intel), "amx");
  EXPECT_EQ(instruction_set("flags\t: avx2 avx512f\n"), "avx512");
  EXPECT_EQ(instruction_set("flags\t: avx avx2 avx512_other"), "avx2");
  EXPECT_EQ(instruction_set("flags\t: sse2\n"), "baseline");
  EXPECT_EQ(instruction_set(""), "baseline");
  EXPECT_EQ(cpu_model("model : 1\n"), "");
  const std::string arm =
      "processor\t: 0\nFeatures\t: fp asimd sve sve2 asimddp\nCPU implementer\t: 0x41\nCPU part\t: 0xd4f\n";
  EXPECT_EQ(cpu_model(arm), "Arm, implementer 0x41, part 0xd4f");
  EXPECT_EQ(instruction_set(arm), "sve2");
  EXPECT_EQ(instruction_set("Features\t: fp asimd\n"), "baseline");
}

TEST(Machine, FactsArePresent) {
  EXPECT_GT(peak_memory_bytes(), 1 << 20);
  EXPECT_THAT(iso_time(), ::testing::MatchesRegex("20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"));
}

}  // namespace
}  // namespace assay::record
