#include "record/earlier_runs.h"

#include <gtest/gtest.h>

#include "unit/temporary_folder.h"

namespace assay::record {
namespace {

TEST(EarlierRuns, OnlyThoseOfThisHost) {
  const testing::TemporaryFolder root;
  const auto record = [&](const std::string& run, const std::string& text) {
    root.write("quick/runs/" + run + "/train.json", text);
  };
  record("a", R"({"group":"g","flops":{"exact":2e9},"measured":{"host":"here","seconds":4}})");
  record("b", R"({"group":"g","flops":{"exact":2e9},"measured":{"host":"there","seconds":1}})");
  record("c", R"({"group":"g","flops":{"six_nd":2e9},"measured":{"host":"here","seconds":4}})");  // not counted exactly
  record("d", "torn {");
  root.write("other/plan.jsonl", "");
  const auto runs = earlier_runs(root.path(), "here");
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].group, "g");
  EXPECT_EQ(runs[0].flops, 2e9);
  EXPECT_EQ(runs[0].seconds, 4);
  EXPECT_TRUE(earlier_runs(root / "nowhere", "here").empty());
}

TEST(EarlierRuns, UseTheOwnGroupOrElseTheRateOfSimilarOnes) {
  const std::vector<EarlierRun> earlier{{"mine", 1e9, 3}, {"mine", 1e9, 5}, {"a", 1e10, 20}, {"b", 2e10, 60},
                                        {"c", 4e10, 200}, {"d", 1e15, 1e4}, {"e", 1e15, 1e4}};
  EXPECT_EQ(estimated_seconds("mine", 1e12, earlier), 4);
  // The five nearest to 2e10 took 2, 3, 5, 3 and 5 nanoseconds per FLOP.
  EXPECT_DOUBLE_EQ(*estimated_seconds("new", 2e10, earlier), 2e10 * 3e-9);
  EXPECT_EQ(estimated_seconds("new", 2e10, {}), std::nullopt);
}

}  // namespace
}  // namespace assay::record
