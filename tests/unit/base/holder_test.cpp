// Signals to lock holders, which here are child processes of the test.
#include "base/holder.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lock.h"
#include "unit/temporary_folder.h"

namespace assay::base {
namespace {

TEST(SignalHolder, ReachesOnlyTheProcessWithTheOpenFile) {
  const testing::TemporaryFolder folder;
  const auto held = folder.write("held", ""), other = folder.write("other", "");
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = FileLock::lock(held);
    (void)!::write(ready[1], "x", 1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_FALSE(signal_holder(child, other, SIGKILL));  // the same result as for a reused process id
  EXPECT_EQ(::kill(child, 0), 0);
  EXPECT_TRUE(signal_holder(child, held, SIGUSR1));
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
  EXPECT_FALSE(signal_holder(child, held, SIGUSR1));
  EXPECT_FALSE(signal_holder(0, held, SIGUSR1));
}

}  // namespace
}  // namespace assay::base
