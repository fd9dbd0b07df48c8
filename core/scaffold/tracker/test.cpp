#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "assay/testing.h"
#include "assay/tracker.h"

namespace {

TEST(ScaffoldName, WritesStepAndLoss) {
  std::string folder = (std::filesystem::temp_directory_path() / "tracker_XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto tracker = assay::testing::make<assay::Tracker>("scaffold_name");
  tracker->open({folder, "experiment", "label", "id", 1});
  tracker->on("start", R"({"steps":2})");
  tracker->on("step", R"({"loss":2.5,"step":1})");
  std::ifstream file(folder + "/losses.tsv");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), "1\t2.5\n");
  std::filesystem::remove_all(folder);
}

TEST(ScaffoldName, KeepsWhatItsKindPromises) {
  EXPECT_EQ(assay::testing::faults("tracker", "scaffold_name"), std::vector<std::string>());
}

}  // namespace
