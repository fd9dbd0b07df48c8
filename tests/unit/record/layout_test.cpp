// Step numbers in the names of checkpoints and of metrics.
#include "record/layout.h"

#include <gmock/gmock.h>

#include "record/metric_name.h"
#include "unit/temporary_folder.h"

namespace assay::record {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Checkpoints, AreNamedByTheirStep) {
  EXPECT_EQ(checkpoint_name(1000), "step-1000");
  EXPECT_EQ(step_of_checkpoint("a/b/step-1000"), 1000);
  for (const char* other : {"step-", "step-0", "step--5", "step-x", "step-10.old", "step-10 ", "step- 10", "step-1e3",
                            "step-99999999999999999999", "xstep-10", ".part", "10", ""})
    EXPECT_EQ(step_of_checkpoint(other), std::nullopt) << other;
}

TEST(Checkpoints, NewestFirst) {
  const testing::TemporaryFolder folder;
  EXPECT_THAT(checkpoint_steps(folder / "nowhere"), IsEmpty());
  for (const char* name : {"step-9", "step-100", "step-20", "step-300.old", ".part"})
    std::filesystem::create_directories(folder / name);
  EXPECT_THAT(checkpoint_steps(folder.path()), ElementsAre(100, 20, 9));
}

TEST(Metrics, EndWithTheirStep) {
  const auto split = [](const std::string& metric) {
    const auto [name, step] = split_step(metric);
    return std::pair(name, step);
  };
  using Split = std::pair<std::string, std::optional<std::int64_t>>;
  EXPECT_EQ(split("lm.nll@length=64,step=1000"), Split("lm.nll@length=64", 1000));
  EXPECT_EQ(split("train.loss@step=10"), Split("train.loss", 10));
  for (const char* other : {"lm.nll", "lm.nll@step=", "lm.nll@step=10x", "lm.nll@step=1e3", "lm.nll@step=10,length=64"})
    EXPECT_EQ(split(other), Split(other, std::nullopt)) << other;
}

}  // namespace
}  // namespace assay::record
