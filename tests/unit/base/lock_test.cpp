#include "base/lock.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assay/error.h"
#include "unit/temporary_folder.h"

namespace assay::base {
namespace {

TEST(FileLock, HasOneHolderUntilReleased) {
  const testing::TemporaryFolder folder;
  const auto file = folder / "lock";
  EXPECT_FALSE(FileLock::is_held(file));
  EXPECT_FALSE(std::filesystem::exists(file));
  {
    const auto first = FileLock::try_lock(file);
    ASSERT_TRUE(first);
    EXPECT_TRUE(FileLock::is_held(file));
    EXPECT_FALSE(FileLock::try_lock(file));
  }
  EXPECT_FALSE(FileLock::is_held(file));
  EXPECT_TRUE(FileLock::try_lock(file));
  EXPECT_THROW(FileLock::try_lock("/nowhere/lock"), UserError);
}

TEST(FileLock, IsReleasedWhenItsHolderIsKilled) {
  const testing::TemporaryFolder folder;
  const auto file = folder / "lock";
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = FileLock::lock(file);
    (void)!::write(ready[1], "x", 1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_TRUE(FileLock::is_held(file));
  EXPECT_FALSE(FileLock::try_lock(file));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(FileLock::try_lock(file));
}

}  // namespace
}  // namespace assay::base
