// Which runs share steps, and how many, with schedules that decay over the last fifth of a run.
#include "launch/trunks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/plan_line.h"

namespace assay::launch {
namespace {

using nlohmann::json;

json line_json(const std::string& id, int steps, const json& more = json::object()) {
  json line = {{"train_id", id}, {"train", {{"train", {{"steps", steps}}}, {"scheduler", {{"use", "wsd"}}}}}};
  line.update(more, true);
  return line;
}

// The rate is constant for four fifths of the steps; a scheduler of another name is another one from the first step.
json common_steps(const json& request) {
  json answer = json::array();
  for (const auto& one : request.at("classes")) {
    json matrix = json::array();
    for (const auto& left : one) {
      json row = json::array();
      for (const auto& right : one) {
        const bool is_same = left["train"]["scheduler"]["use"] == right["train"]["scheduler"]["use"];
        const int shorter =
            std::min(left["train"]["train"]["steps"].get<int>(), right["train"]["train"]["steps"].get<int>());
        row.push_back(!is_same ? 0 : left == right ? shorter : shorter * 4 / 5);
      }
      matrix.push_back(row);
    }
    answer.push_back(matrix);
  }
  return answer;
}

// "-" for a run that starts by itself, else "trunk:step".
std::vector<std::string> trunks(const std::vector<json>& given, std::vector<Extent> extents = {}) {
  std::vector<record::PlanLine> lines;
  for (const auto& one : given) lines.push_back(testing::plan_line(one));
  extents.resize(lines.size());
  std::vector<std::string> texts;
  for (const auto& trunk : trunks_of(lines, extents, common_steps))
    texts.push_back(trunk ? lines[trunk->run].train_id + ":" + std::to_string(trunk->step) : "-");
  return texts;
}

using Texts = std::vector<std::string>;

TEST(Trunks, TheLongestRunIsTheTrunk) {
  EXPECT_EQ(trunks({line_json("a", 50), line_json("b", 100), line_json("c", 200)}), (Texts{"c:40", "c:80", "-"}));
}

TEST(Trunks, OnlyRunsOfOneClassShare) {
  EXPECT_EQ(trunks({line_json("a", 50), line_json("b", 100, {{"train", {{"seeds", {{"data", 2}}}}}})}),
            (Texts{"-", "-"}));
  EXPECT_EQ(trunks({line_json("a", 50), line_json("b", 100, {{"train", {{"optimizer", {{"lr", 0.1}}}}}})}),
            (Texts{"-", "-"}));
  EXPECT_EQ(trunks({line_json("a", 50), line_json("b", 100, {{"resources", {{"threads", 2}}}})}), (Texts{"-", "-"}));
  EXPECT_EQ(trunks({line_json("a", 50), line_json("b", 100, {{"train", {{"scheduler", {{"use", "cosine"}}}}}})}),
            (Texts{"-", "-"}));
  EXPECT_EQ(trunks({line_json("a", 50), line_json("b", 100, {{"trackers", {{{"use", "jsonl"}, {"label", "jsonl"}}}}})}),
            (Texts{"-", "-"}));
}

// The means over the last tenth of a run are its own.
TEST(Trunks, ABranchLeavesBeforeItsLastTenth) {
  EXPECT_EQ(trunks({line_json("a", 100), line_json("b", 100)}), (Texts{"-", "a:90"}));
}

TEST(Trunks, ABranchLeavesBeforeAnEvaluationThatItsTrunkDoesNotMake) {
  const auto every = [](int steps) { return json{{"evaluate", {{{"label", "lm"}, {"every", steps}}}}}; };
  EXPECT_EQ(trunks({line_json("a", 50, every(10)), line_json("b", 100, every(20))}), (Texts{"b:9", "-"}));
  EXPECT_EQ(trunks({line_json("a", 50, every(10)), line_json("b", 100, every(10))}), (Texts{"b:40", "-"}));
  EXPECT_EQ(trunks({line_json("a", 50), line_json("b", 100, every(20))}), (Texts{"b:40", "-"}));
}

TEST(Trunks, ATrunkLogsTheStepsThatItsBranchLogs) {
  EXPECT_EQ(trunks({line_json("a", 50, {{"log_every", 20}}), line_json("b", 100)}), (Texts{"-", "-"}));
  EXPECT_EQ(trunks({line_json("a", 50, {{"log_every", 5}}), line_json("b", 100)}), (Texts{"-", "-"}));
}

TEST(Trunks, WhatIsTrainedCounts) {
  const std::vector<json> lines{line_json("a", 50), line_json("b", 100), line_json("c", 200)};
  EXPECT_EQ(trunks(lines, {{}, {}, {.begun = 60}}), (Texts{"b:40", "c:80", "-"}));  // c is past step 40
  EXPECT_EQ(trunks(lines, {{.begun = 40}, {}, {}}), (Texts{"-", "c:80", "-"}));     // a has all that c could give
  EXPECT_EQ(trunks(lines, {{}, {}, {.begun = 199}}), (Texts{"b:40", "-", "-"}));
}

TEST(Trunks, ARunThatPausesGivesAndTakesNoMore) {
  const std::vector<json> lines{line_json("a", 50), line_json("b", 100), line_json("c", 200)};
  EXPECT_EQ(trunks(lines, {{.until = 30}, {.until = 30}, {.until = 30}}), (Texts{"c:30", "c:30", "-"}));
  EXPECT_EQ(trunks(lines, {{}, {}, {.until = 20}}), (Texts{"b:40", "c:20", "-"}));
}

TEST(Trunks, SharedStepsAreCounted) {
  std::vector<record::PlanLine> lines;
  for (const int steps : {50, 100, 200}) lines.push_back(testing::plan_line(line_json(std::to_string(steps), steps)));
  const std::vector<Extent> whole(3);
  const auto found = trunks_of(lines, whole, common_steps);
  const auto steps = shared_steps(lines, found, whole);
  EXPECT_EQ(steps.planned, 350);
  EXPECT_EQ(steps.shared, 120);
  EXPECT_EQ(shared_text(steps), "2 runs continue another one: 34% of 350 steps are trained once for several runs.");
  EXPECT_EQ(shared_text({}), "");
  EXPECT_EQ(shared_steps(lines, found, {{.begun = 10}, {}, {.until = 120}}).planned, 40 + 100 + 120);
  EXPECT_EQ(shared_steps(lines, found, {{.begun = 10}, {}, {.until = 120}}).shared, 30 + 80);
  std::vector<Job> jobs(3, Job{.train_id = "", .name = "", .run = record::RunLayout("")});
  set_branches(lines, found, jobs);
  EXPECT_EQ(jobs[0].trunk, 2);
  EXPECT_EQ(jobs[0].leaves_at, 40);
  EXPECT_EQ(record::text_of(jobs[2].branches), "50:40,100:80");
}

}  // namespace
}  // namespace assay::launch
