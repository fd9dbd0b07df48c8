// assay.local.toml: where it is found, its values and its errors.
#include "plan/launch_settings.h"

#include <gmock/gmock.h>

#include "document/diagnostics.h"
#include "unit/temporary_folder.h"

namespace assay::plan {
namespace {

using ::testing::ElementsAre;

std::string wrong_with(const std::string& text) {
  const assay::testing::TemporaryFolder folder;
  folder.write("assay.local.toml", text);
  try {
    read_slurm_settings(folder / "x.toml");
  } catch (const document::ConfigErrors& errors) {
    std::string messages = errors.what();
    for (const auto name = folder.path().string() + "/"; messages.find(name) != std::string::npos;)
      messages.erase(messages.find(name), name.size());
    return messages;
  }
  return "";
}

TEST(SlurmSettings, TheNearestFileAboveTheExperimentIsUsed) {
  const assay::testing::TemporaryFolder folder;
  folder.write("assay.local.toml", R"([launch.slurm]
partition = "main"
account = "lab"
time = "1-12"
gres = "gpu:a100"
grace = 300
options = ["--mem=16G", "--qos=low"]
setup = ["module load openmpi", "ulimit -n 4096"]
wrap = "nice -n 5"
)");
  const auto found = read_slurm_settings(folder / "experiments/alibi/x.toml");
  EXPECT_EQ(found.partition, "main");
  EXPECT_EQ(found.account, "lab");
  EXPECT_EQ(found.time, "1-12");
  EXPECT_EQ(found.gres, "gpu:a100");
  EXPECT_EQ(found.grace, 300);
  EXPECT_THAT(found.options, ElementsAre("--mem=16G", "--qos=low"));
  EXPECT_THAT(found.setup, ElementsAre("module load openmpi", "ulimit -n 4096"));
  EXPECT_EQ(found.wrap, "nice -n 5");
  folder.write("experiments/assay.local.toml", "[launch.slurm]\npartition = \"near\"\n");
  const auto near = read_slurm_settings(folder / "experiments/alibi/x.toml");
  EXPECT_EQ(near.partition, "near");
  EXPECT_EQ(near.account, "");
  EXPECT_EQ(near.grace, 120);
}

TEST(SlurmSettings, WithoutAFileAllSettingsAreTheClustersDefaults) {
  const assay::testing::TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  EXPECT_EQ(read_slurm_settings("x.toml").partition, "");
  folder.write("assay.local.toml", "");
  EXPECT_EQ(read_slurm_settings("/nowhere/x.toml").partition, "");
  folder.write("assay.local.toml", "[launch.slurm]\npartition = \"here\"\n");
  EXPECT_EQ(read_slurm_settings("/nowhere/x.toml").partition, "here");  // the file of the current folder
  std::filesystem::current_path(before);
}

TEST(SlurmSettings, EveryErrorHasItsPositionAndTheNearestName) {
  EXPECT_EQ(wrong_with("[launch.slurm]\npartitoin = \"main\"\ntime = 60\n"),
            "assay.local.toml:2:1: unknown key 'partitoin' for [launch.slurm]; did you mean 'partition'? (string)\n"
            "assay.local.toml:3:8: 'time' of [launch.slurm] must be a string, but is the int 60");
  EXPECT_EQ(wrong_with("[lunch]\n[launch.slrum]\n"),
            "assay.local.toml:1:2: unknown key 'lunch' for assay.local.toml; did you mean 'launch'? (table)\n"
            "assay.local.toml:2:9: unknown key 'slrum' for [launch]; did you mean 'slurm'? (table)");
  EXPECT_EQ(wrong_with("[launch.slurm]\ntime = \"1h\"\n"),
            "assay.local.toml:2:8: 'time' is \"1h\", but must be minutes, hours:minutes:seconds, days-hours or "
            "days-hours:minutes:seconds, as for Slurm");
  EXPECT_EQ(wrong_with("[launch.slurm]\ntime = \"3\"\n"),
            "assay.local.toml:2:8: 'time' is 180 seconds, but a run is signalled to checkpoint 120 seconds (grace) "
            "before the limit or up to a minute earlier, so it would make no progress; increase 'time'");
  EXPECT_EQ(wrong_with("[launch.slurm]\ntime = \"4\"\n"), "");
}

TEST(SlurmSettings, TimeLimitsInSlurmsFormats) {
  // The forms of sbatch(1), --time.
  EXPECT_EQ(slurm_seconds("90"), 5400);
  EXPECT_EQ(slurm_seconds("90:30"), 5430);
  EXPECT_EQ(slurm_seconds("2:00:05"), 7205);
  EXPECT_EQ(slurm_seconds("1-2"), 93600);
  EXPECT_EQ(slurm_seconds("1-2:30"), 95400);
  EXPECT_EQ(slurm_seconds("1-2:30:15"), 95415);
  EXPECT_EQ(slurm_seconds("infinite"), 0);
  for (const char* none : {"", "1h", "1:2:3:4", "-5", "1-", "a-1", "1-2-3", ":", "2:"})
    EXPECT_EQ(slurm_seconds(none), -1);
}

}  // namespace
}  // namespace assay::plan
