// What a worker's OpenMP threads do while they wait, by how busy the machine is.
#include "launch/load.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace assay::launch {
namespace {

TEST(Load, RunnableThreadsAreRead) {
  EXPECT_EQ(runnable_threads("0.20 0.18 0.12 3/80 11206\n"), 3);
  EXPECT_EQ(runnable_threads("12.00 0.18 0.12 17/1380 11206\n"), 17);
  EXPECT_EQ(runnable_threads(""), 0);
  EXPECT_EQ(runnable_threads("no number"), 0);
}

TEST(Load, ThreadsSleepSoonWhereCoresAreScarce) {
  EXPECT_EQ(spin_count(0, 2, 2), "10000");
  EXPECT_EQ(spin_count(2, 2, 4), "10000");
  EXPECT_EQ(spin_count(1, 2, 2), "1000");
  EXPECT_EQ(spin_count(0, 8, 4), "1000");
}

TEST(Load, SettingsOfTheUserAreKept) {
  EXPECT_FALSE(spin_count_now(1, 2));
  EXPECT_TRUE(spin_count_now(2, 2));
  for (const char* name : {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}) {
    ::setenv(name, "1", 1);
    EXPECT_FALSE(spin_count_now(2, 2)) << name;
    ::unsetenv(name);
  }
}

}  // namespace
}  // namespace assay::launch
