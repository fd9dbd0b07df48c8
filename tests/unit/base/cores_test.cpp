// The cores that a control group's CPU quota allows, from files as Linux lays them out.
#include "base/cores.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "unit/temporary_folder.h"

namespace assay::base {
namespace {

size_t cores_of_the_mask() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  ::sched_getaffinity(0, sizeof cores, &cores);
  return static_cast<size_t>(CPU_COUNT(&cores));
}

// Expects as many cores, or all of the mask where it has fewer.
void expect_cores(const testing::TemporaryFolder& root, size_t cores) {
  EXPECT_EQ(core_names(root.path()).size(), std::min(cores, cores_of_the_mask()));
}

TEST(Cores, EqualTheAffinityMaskWithoutAQuota) {
  const testing::TemporaryFolder root;
  expect_cores(root, SIZE_MAX);
  root.write("proc/self/cgroup", "0::/job\n");
  root.write("proc/self/mountinfo", "30 20 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n");
  root.write("sys/fs/cgroup/job/cpu.max", "max 100000\n");
  expect_cores(root, SIZE_MAX);
  root.write("sys/fs/cgroup/job/cpu.max", "");
  expect_cores(root, SIZE_MAX);
}

TEST(Cores, AreAsManyAsTheQuotaOfVersion2Allows) {
  const testing::TemporaryFolder root;
  root.write("proc/self/cgroup", "0::/user/job\n");
  root.write("proc/self/mountinfo", "30 20 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n");
  root.write("sys/fs/cgroup/user/job/cpu.max", "190000 100000\n");
  expect_cores(root, 1);
  root.write("sys/fs/cgroup/user/job/cpu.max", "50000 100000\n");
  expect_cores(root, 1);
  root.write("sys/fs/cgroup/user/job/cpu.max", "200000 100000\n");
  expect_cores(root, 2);
  // A group that contains this one may have less.
  root.write("sys/fs/cgroup/user/cpu.max", "100000 100000\n");
  expect_cores(root, 1);
}

TEST(Cores, AreAsManyAsTheQuotaOfVersion1Allows) {
  const testing::TemporaryFolder root;
  root.write("proc/self/cgroup", "4:cpuset:/\n3:cpuacct,cpu:/job\n0::/\n");
  root.write(
      "proc/self/mountinfo",
      "11 31 0:29 / /cg/cpuset rw - cgroup cgroup rw,cpuset\n12 31 0:30 / /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct\n");
  root.write("cg/cpu/job/cpu.cfs_quota_us", "100000\n");
  root.write("cg/cpu/job/cpu.cfs_period_us", "100000\n");
  expect_cores(root, 1);
  root.write("cg/cpu/job/cpu.cfs_quota_us", "-1\n");
  expect_cores(root, SIZE_MAX);
}

// Groups of equal quotas have slots of their own, and the processes of a group share its slots.
TEST(Cores, OfAGroupAreNamedByTheGroup) {
  const auto names = [](const std::string& group) {
    const testing::TemporaryFolder root;
    root.write("proc/self/cgroup", "0::" + group + "\n");
    root.write("proc/self/mountinfo", "30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    root.write("sys/fs/cgroup" + group + "/cpu.max", "100000 100000\n");
    return core_names(root.path());
  };
  if (cores_of_the_mask() == 1) GTEST_SKIP() << "this process may use one core only";
  EXPECT_EQ(names("/a"), names("/a"));
  EXPECT_NE(names("/a"), names("/b"));
  EXPECT_TRUE(names("/a").at(0).ends_with("-0"));
}

// A container sees its own group as the root of the mount, with or without a namespace of its own.
TEST(Cores, FollowTheQuotaOfAContainer) {
  for (const auto* mounted : {"/", "/docker/abc", "/docker/other"})
    for (const auto* group : {"/docker/abc", "/"}) {
      const testing::TemporaryFolder root;
      root.write("proc/self/cgroup", std::string("0::") + group + "\n");
      root.write("proc/self/mountinfo",
                 std::string("30 20 0:26 ") + mounted + " /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
      root.write("sys/fs/cgroup/cpu.max", "100000 100000\n");
      expect_cores(root, 1);
    }
}

}  // namespace
}  // namespace assay::base
