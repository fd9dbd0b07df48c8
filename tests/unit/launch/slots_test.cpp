// Cores and GPUs that several controllers share: each pool here represents one controller.
#include "launch/slots.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "assay/error.h"
#include "base/process.h"
#include "launch/gpus.h"
#include "unit/plan_line.h"
#include "unit/temporary_folder.h"

namespace assay::launch {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SlotPools : public ::testing::Test {
 protected:
  SlotPool pool(std::vector<std::string> gpus = {}) { return SlotPool(folder_.path(), {"0", "1"}, std::move(gpus)); }
  testing::TemporaryFolder folder_;
};

TEST_F(SlotPools, GiveACoreToOneAtATime) {
  auto one = pool(), other = pool();
  auto first = one.take({.cores = 1});
  auto second = other.take({.cores = 1});
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(one.take({.cores = 1}));
  first.reset();
  EXPECT_TRUE(one.take({.cores = 1}));
}

TEST_F(SlotPools, ARequestForMoreGetsAll) {
  auto one = pool(), other = pool();
  const auto all = one.take({.cores = 8});
  ASSERT_TRUE(all);
  EXPECT_EQ(all->locks.size(), 2u);
  EXPECT_FALSE(other.take({.cores = 1}));
}

// A run that needs both cores gets them, although others keep asking for one.
TEST_F(SlotPools, KeepTheOrderOfRequests) {
  auto small = pool(), large = pool(), late = pool();
  auto first = small.take({.cores = 1});
  EXPECT_FALSE(large.take({.cores = 2}));
  EXPECT_FALSE(late.take({.cores = 1}));  // one core is free, but reserved
  first.reset();
  auto both = large.take({.cores = 2});
  ASSERT_TRUE(both);
  EXPECT_FALSE(late.take({.cores = 1}));
  both.reset();
  EXPECT_TRUE(late.take({.cores = 1}));
}

TEST_F(SlotPools, ReleaseWhatTheyReserved) {
  auto small = pool(), large = pool(), late = pool();
  const auto first = small.take({.cores = 1});
  EXPECT_FALSE(large.take({.cores = 2}));
  large.give_up();
  EXPECT_TRUE(late.take({.cores = 1}));
}

TEST_F(SlotPools, AreSharedIfAUserWantsMoreJobs) {
  auto one = pool({"a"}), other = pool();
  auto first = one.take({.cores = 1, .gpus = 1});
  auto second = one.take_or_share({.cores = 1, .gpus = 1}, first);
  EXPECT_EQ(second->locks.size(), 1u);  // the free core; the GPU is shared
  EXPECT_THAT(second->all_gpus(), ElementsAre("a"));
  const auto third = one.take_or_share({.cores = 1}, first);
  EXPECT_THAT(third->locks, IsEmpty());
  EXPECT_EQ(third->descriptors(), first->descriptors());
  first.reset();
  second.reset();
  const auto own = other.take({.cores = 1});  // the core of the second one
  EXPECT_TRUE(own);
  EXPECT_FALSE(other.take({.cores = 1}));  // the third one still has the core of the first one
}

// A controller may be killed while its workers continue: they keep their slots.
TEST_F(SlotPools, AreHeldByTheWorker) {
  auto one = pool(), other = pool();
  auto slots = one.take({.cores = 2});
  base::Process worker({"sleep", "600"}, {}, folder_ / "log", slots->descriptors());
  slots.reset();
  EXPECT_FALSE(other.take({.cores = 1}));
  worker.send(SIGKILL);
  while (!worker.poll()) std::this_thread::yield();
  EXPECT_TRUE(other.take({.cores = 2}));
}

TEST_F(SlotPools, HandOutGpusByNameAndByIndex) {
  auto one = pool({"GPU-x", "GPU-y"});
  const auto second = one.take({.cores = 1, .gpus = 1, .gpu_indices = {1}});
  ASSERT_TRUE(second);
  EXPECT_THAT(second->gpus, ElementsAre("GPU-y"));
  EXPECT_FALSE(one.take({.cores = 1, .gpus = 1, .gpu_indices = {1}}));
  const auto any = one.take({.cores = 1, .gpus = 1});
  ASSERT_TRUE(any);
  EXPECT_THAT(any->gpus, ElementsAre("GPU-x"));
}

TEST(SlotsFolder, IsTheUsersOwn) {
  const testing::TemporaryFolder folder;
  ::setenv("ASSAY_RUNTIME", (folder / "made").c_str(), 1);
  EXPECT_EQ(slots_folder(), folder / "made");
  EXPECT_TRUE(std::filesystem::is_directory(folder / "made"));
  ::unsetenv("ASSAY_RUNTIME");
}

TEST(VisibleGpus, AreThoseOfTheEnvironment) {
  ::setenv("CUDA_VISIBLE_DEVICES", "2,GPU-8f6e", 1);
  EXPECT_THAT(visible_gpus(), ElementsAre("2", "GPU-8f6e"));
  for (const char* none : {"", "-1"}) {
    ::setenv("CUDA_VISIBLE_DEVICES", none, 1);
    EXPECT_THAT(visible_gpus(), IsEmpty());
  }
  ::unsetenv("CUDA_VISIBLE_DEVICES");
}

TEST(SlotRequestOfARun, FollowFromItsResources) {
  struct Case {
    const char* resources;
    int cores, gpus;
    std::vector<int> indices;
  };
  for (const auto& [resources, cores, gpus, indices] : {
           Case{R"({"threads": 2, "mesh": {"tensor": 2, "data": 2}, "device": "cpu"})", 8, 0, {}},
           Case{R"({"threads": 3, "mesh": {"tensor": 1, "data": 1}, "device": "cuda"})", 3, 1, {}},
           Case{R"({"threads": 1, "mesh": {"tensor": 1, "data": 1}, "device": "cuda:2"})", 1, 1, {2}},
           Case{R"({"threads": 1, "mesh": {"tensor": 2, "data": 2, "backend": "nccl"}, "device": "cuda"})", 4, 4, {}},
           Case{R"({"threads": 1, "mesh": {"tensor": 2, "data": 1, "backend": "nccl"}, "device": "cuda:1"})",
                2,
                2,
                {1, 2}},
           Case{
               R"({"threads": 1, "mesh": {"tensor": 2, "data": 1, "backend": "nccl", "mpirun": []}, "device": "cuda"})",
               2,
               0,
               {}},
       }) {
    const auto request = slot_request(testing::plan_line({{"resources", json::parse(resources)}}), true);
    EXPECT_EQ(request.cores, cores) << resources;
    EXPECT_EQ(request.gpus, gpus) << resources;
    EXPECT_EQ(request.gpu_indices, indices) << resources;
  }
}

}  // namespace
}  // namespace assay::launch
