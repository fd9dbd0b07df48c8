// Learning curves by hand: mean and interval at each step, missing values, and thinning.
#include "report/curves.h"

#include <gmock/gmock.h>

#include "report/run_log.h"
#include "unit/temporary_folder.h"

namespace assay::report {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pair;

RunLog loss(std::vector<std::pair<std::int64_t, double>> points) {
  return {{"train.loss", "", "lower", std::move(points)}};
}

// 1, 2, 4: mean 7/3, sample deviation sqrt(7/3), quantile 4.30265272974946 (scipy.stats.t.ppf(0.975, 2)):
// half-width 3.794583...; the third seed stops after step 10.
TEST(Curves, MeanAndIntervalOverTheAvailableSeeds) {
  const auto a = loss({{10, 1}, {20, 5}}), b = loss({{10, 2}, {20, 6}}), c = loss({{10, 4}});
  const auto families = learning_curves({{&a, &b, &c}}, 200);
  ASSERT_EQ(families.size(), 1u);
  EXPECT_EQ(families[0].name, "train.loss");
  const auto& points = families[0].curves.at(0).points;
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].summary.n, 3u);
  EXPECT_NEAR(points[0].summary.mean, 7.0 / 3, 1e-12);
  EXPECT_NEAR(*points[0].summary.half_width, 3.7945830, 1e-6);
  EXPECT_EQ(points[1].step, 20);
  EXPECT_EQ(points[1].summary.n, 2u);
  EXPECT_EQ(points[1].summary.mean, 5.5);
}

TEST(Curves, ThinningKeepsFirstAndLastAndReportsTheOriginalCount) {
  std::vector<std::pair<std::int64_t, double>> points;
  for (int i = 0; i <= 100; ++i) points.emplace_back(3 * i, i);
  const auto log = loss(points);
  const auto families = learning_curves({{&log}}, 5);
  const auto& curve = families.at(0).curves.at(0);
  EXPECT_EQ(curve.logged_steps, 101u);
  std::vector<std::int64_t> steps;
  for (const auto& point : curve.points) steps.push_back(point.step);
  EXPECT_THAT(steps, ElementsAre(0, 75, 150, 225, 300));
  EXPECT_FALSE(curve.points[0].summary.half_width);  // one seed
  EXPECT_EQ(curve.points[1].summary.mean, 25);
}

TEST(Curves, GroupsWithoutTheMetricAndMetricsOfOneStepHaveNone) {
  const auto a = loss({{10, 1}, {20, 2}});
  const RunLog b, c{{"lm.bits_per_byte@length=64", "bits/byte", "lower", {{20, 2.5}}}};
  const auto families = learning_curves({{&b}, {&a, &c}}, 200);
  ASSERT_EQ(families.size(), 1u);
  ASSERT_EQ(families[0].curves.size(), 1u);
  EXPECT_EQ(families[0].curves[0].group, 1u);
}

TEST(RunLogs, ReadStepsAndEvaluationsWithoutNonFiniteValues) {
  const testing::TemporaryFolder folder;
  const auto file = folder.write(
      "events.jsonl",
      R"({"attempt":1,"type":"start","steps":30})"
      "\n"
      R"({"attempt":1,"type":"step","step":10,"loss":3.5,"lr":0.1,"grad_norm":2,"metrics":{"mle.nll":3.25}})"
      "\n"
      R"({"attempt":1,"type":"evaluate","step":10,"label":"lm","metrics":[{"name":"bits_per_byte","value":2.5,"unit":"bits/byte","direction":"lower","coordinates":{"length":64}}]})"
      "\n"
      R"({"attempt":1,"type":"step","step":20,"loss":null,"lr":0.2,"grad_norm":null,"metrics":{}})"
      "\n");
  const auto log = read_run_log(file);
  ASSERT_EQ(log.size(), 5u);
  EXPECT_EQ(log[0].name, "train.loss");
  EXPECT_THAT(log[0].points, ElementsAre(Pair(10, 3.5)));
  EXPECT_EQ(log[1].name, "train.mle.nll");
  EXPECT_EQ(log[3].name, "train.lr");
  EXPECT_THAT(log[3].points, ElementsAre(Pair(10, 0.1), Pair(20, 0.2)));
  EXPECT_EQ(log[4].name, "lm.bits_per_byte@length=64");
  EXPECT_EQ(log[4].unit, "bits/byte");
}

TEST(RunLogs, ReadOnlyWhatWasAppended) {
  const testing::TemporaryFolder folder;
  const std::string first = R"({"attempt":1,"type":"step","step":1,"loss":3})"
                            "\n";
  const auto file = folder.write("events.jsonl", first), absent = folder / "absent";
  RunLogs logs;
  logs.refresh({file, absent});
  EXPECT_EQ(logs.of(file).at(0).points.size(), 1u);
  EXPECT_TRUE(logs.of(absent).empty());
  // The size and time are the same, so the content is assumed to be the same.
  const auto time = std::filesystem::last_write_time(file);
  folder.write("events.jsonl", R"({"attempt":1,"type":"step","step":1,"loss":4})"
                               "\n");
  std::filesystem::last_write_time(file, time);
  logs.refresh({file, absent});
  EXPECT_EQ(logs.of(file).at(0).points.at(0).second, 3);
  folder.write("events.jsonl", first + R"({"attempt":1,"type":"step","step":2,"loss":5})"
                                       "\n");
  logs.refresh({file, absent});
  EXPECT_THAT(logs.of(file).at(0).points, ElementsAre(Pair(1, 3), Pair(2, 5)));
  std::filesystem::remove(file);
  logs.refresh({file, absent});
  EXPECT_TRUE(logs.of(file).empty());
}

}  // namespace
}  // namespace assay::report
