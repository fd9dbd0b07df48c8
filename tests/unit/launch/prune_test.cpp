// Which runs continue after a rung: means over seeds worked out by hand.
#include "launch/prune.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "assay/error.h"
#include "base/files.h"
#include "record/state.h"
#include "unit/plan_line.h"
#include "unit/temporary_folder.h"

namespace assay::launch {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;

class Judge : public ::testing::Test {
 protected:
  Judge() {
    pruning_.settings.metric = "lm.nll@length=64";
    pruning_.settings.rungs = {*base::parse_duration("50%"), *base::parse_duration("75%")};
  }

  // 40 steps per run: the rungs are at 20 and 30.
  record::RunLayout add(const std::string& group, int seed) {
    const auto id = group + std::to_string(seed);
    lines_.push_back(
        testing::plan_line({{"train_id", id},
                            {"group", group},
                            {"seed", seed},
                            {"axes", {{"positional", group}}},
                            {"train", {{"train", {{"steps", 40}, {"batch", 2}}}, {"data", {{"context", 8}}}}}}));
    return experiment_.run(id);
  }
  // Adds runs with these values at step 20.
  void add_told(const std::string& group, const std::vector<double>& values, const std::string& direction = "lower") {
    for (size_t i = 0; i < values.size(); ++i) {
      const auto run = add(group, static_cast<int>(i) + 1);
      tell(run,
           {{"attempt", 1},
            {"type", "evaluate"},
            {"step", 20},
            {"label", "lm"},
            {"metrics",
             {{{"name", "nll"}, {"value", values[i]}, {"direction", direction}, {"coordinates", {{"length", 64}}}}}}});
      save(run, 20);
    }
  }
  void tell(const record::RunLayout& run, const json& event) {
    const auto file = "runs/" + run.folder().filename().string() + "/events.jsonl";
    std::string text = std::filesystem::exists(run.events()) ? base::read_file(run.events()) : "";
    folder_.write(file, text + event.dump() + "\n");
  }
  void save(const record::RunLayout& run, int step) {
    std::filesystem::create_directories(run.checkpoints() / ("step-" + std::to_string(step)));
  }
  void fail(const record::RunLayout& run, const std::string& failure) {
    std::filesystem::create_directories(run.folder());
    record::State state;
    state.status = record::RunStatus::kFailed;
    state.failure_class = failure;
    record::write_state(run.state(), state);
  }
  RungVerdict verdict(size_t rung = 0) { return judge(lines_, experiment_, pruning_, rung); }

  testing::TemporaryFolder folder_;
  record::ExperimentLayout experiment_{folder_.path()};
  Pruning pruning_;
  std::vector<record::PlanLine> lines_;
};

TEST_F(Judge, HalvesByTheMeanOverSeeds) {
  add_told("a", {1.0, 9.0});  // 5: its best seed does not help
  add_told("b", {4.0, 5.0});  // 4.5
  add_told("c", {6.0, 6.0});
  add_told("d", {3.0, 3.0});
  add_told("e", {7.0, 1.0});  // 4
  const auto found = verdict();
  EXPECT_TRUE(found.judged);
  EXPECT_THAT(found.pruned, ElementsAre(Key("a"), Key("c")));  // ceil(5 / 2) continue
  EXPECT_EQ(found.pruned.at("a"), "ranked 4 of 5 by lm.nll@length=64 at the rung 50%; the first 3 continue");
}

TEST_F(Judge, HigherIsBetterWhereTheMetricSaysSo) {
  add_told("a", {1.0}, "higher");
  add_told("b", {2.0}, "higher");
  EXPECT_THAT(verdict().pruned, ElementsAre(Key("a")));
}

// A metric that does not apply to a model has no value, which is neither the worst nor the best; a non-finite value is
// the worst.
TEST_F(Judge, DoesNotJudgeAGroupWithoutAValue) {
  add_told("a", {1.0});
  add_told("b", {std::nan("")});
  const auto run = add("c", 1);
  json metric = {{"name", "nll"}, {"value", nullptr}, {"sum", 0.0}, {"coordinates", {{"length", 64}}}};
  json event = {{"attempt", 1}, {"type", "evaluate"}, {"step", 20}, {"label", "lm"}};
  event["metrics"] = json::array({metric});
  tell(run, event);
  save(run, 20);
  const auto found = verdict();
  EXPECT_TRUE(found.judged);
  EXPECT_THAT(found.pruned, ElementsAre(Key("b")));
  EXPECT_EQ(found.not_judged, 1u);
}

TEST_F(Judge, NeverPrunesTheBaselineAndDoesNotCountIt) {
  add_told("base", {9.0});
  add_told("a", {1.0});
  add_told("b", {2.0});
  document::Diagnostics diagnostics;
  pruning_.baseline = sweep::selector_of_text("positional=base", "test", diagnostics);
  EXPECT_THAT(verdict().pruned, ElementsAre(Key("b")));
}

TEST_F(Judge, WaitsForEveryRun) {
  add_told("a", {1.0});
  add_told("b", {2.0});
  const auto late = add("b", 2);
  EXPECT_FALSE(verdict().judged);
  save(late, 10);
  EXPECT_FALSE(verdict().judged);
  fail(late, "signal");  // cannot be judged, so it continues
  EXPECT_TRUE(verdict().judged);
  EXPECT_THAT(verdict().pruned, IsEmpty());
  EXPECT_FALSE(verdict(1).judged);
}

TEST_F(Judge, RanksDivergedRunsLast) {
  add_told("a", {1.0});
  add_told("b", {2.0});
  add_told("c", {1.5});
  fail(add("a", 2), "non_finite");
  EXPECT_THAT(verdict().pruned, ElementsAre(Key("a")));
}

// The metric has another name than those evaluated at the rung: the group would continue for ever without being judged.
TEST_F(Judge, RefusesAMetricThatIsNotEvaluatedThere) {
  add_told("a", {1.0});
  add_told("b", {2.0});
  const auto refusal = [&](const std::string& metric) {
    pruning_.settings.metric = metric;
    try {
      verdict();
    } catch (const UserError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  const auto where = " (" + experiment_.run("a1").events().string() + ")";
  EXPECT_EQ(refusal("lm.nl@length=64"),
            "[prune] metric 'lm.nl@length=64' is not among the metrics evaluated at step 20" + where +
                "; did you mean 'lm.nll@length=64'?");
  EXPECT_EQ(refusal("lm.nll"), "[prune] metric 'lm.nll' is not among the metrics evaluated at step 20" + where +
                                   "; metrics are lm.nll@length=64");
}

// In a sweep over evaluations, a row without the metric is not judged, and the others are.
TEST_F(Judge, DoesNotJudgeARowWithOtherEvaluations) {
  add_told("a", {1.0});
  add_told("b", {2.0});
  const auto run = add("c", 1);
  json event = {{"attempt", 1}, {"type", "evaluate"}, {"step", 20}, {"label", "lm"}};
  event["metrics"] = {{{"name", "nll"}, {"value", 3.0}, {"sum", 3.0}, {"coordinates", {{"length", 128}}}}};
  tell(run, event);
  save(run, 20);
  const auto found = verdict();
  EXPECT_THAT(found.pruned, ElementsAre(Key("b")));
  EXPECT_EQ(found.not_judged, 1u);
}

TEST_F(Judge, CountsTheGroupsWithoutAValue) {
  add_told("a", {1.0});
  add_told("b", {2.0});
  EXPECT_EQ(verdict().not_judged, 0u);
  const auto older = add("c", 1);
  tell(older, {{"attempt", 1}, {"type", "evaluate"}, {"step", 10}, {"label", "lm"}, {"metrics", json::array()}});
  save(older, 20);
  EXPECT_EQ(verdict().not_judged, 1u);
  EXPECT_THAT(verdict().pruned, ElementsAre(Key("b")));
}

TEST_F(Judge, UsesTheLastLossUpToTheRung) {
  const auto run = add("a", 1);
  for (const auto& [step, loss] : {std::pair{10, 3.0}, {18, 2.0}, {28, 1.0}})
    tell(run, {{"attempt", 1}, {"type", "step"}, {"step", step}, {"loss", loss}});
  EXPECT_EQ(value_at(run, "loss", 20), 2.0);
  EXPECT_EQ(value_at(run, "loss", 28), 1.0);
  EXPECT_EQ(value_at(run, "loss", 5), std::nullopt);
  // A step without targets has no loss, nor has a skipped step; there may be none before a skipped one at all.
  tell(run, {{"attempt", 1}, {"type", "step"}, {"step", 30}});
  tell(run, {{"attempt", 1}, {"type", "skip"}, {"step", 31}, {"text", "loss nan"}});
  tell(run, {{"attempt", 1}, {"type", "step"}, {"step", 31}});
  EXPECT_EQ(value_at(run, "loss", 31), 1.0);
  const auto none = add("b", 1);
  tell(none, {{"attempt", 1}, {"type", "step"}, {"step", 10}});
  EXPECT_EQ(value_at(none, "loss", 10), std::nullopt);
  tell(none, {{"attempt", 1}, {"type", "skip"}, {"step", 11}, {"text", "loss nan"}});
  EXPECT_EQ(value_at(none, "loss", 11), std::numeric_limits<double>::infinity());
  tell(none, {{"attempt", 1}, {"type", "step"}, {"step", 12}, {"loss", 4.0}});
  EXPECT_EQ(value_at(none, "loss", 12), 4.0);
  EXPECT_FALSE(has_reached(testing::plan_line(), run, 20));
  save(run, 25);
  EXPECT_TRUE(has_reached(testing::plan_line(), run, 20));
}

// A checkpoint is written before its step's evaluations: a run that is killed in between has not reached the rung.
TEST_F(Judge, ARungIsReachedAfterItsEvaluations) {
  const auto run = add("a", 1);
  const auto line = testing::plan_line(
      {{"evaluate", {{{"label", "lm"}, {"every", 10}}, {{"label", "rare"}, {"every", 15}}, {{"label", "end"}}}}});
  save(run, 20);
  EXPECT_FALSE(has_reached(line, run, 20));
  tell(run, {{"attempt", 1}, {"type", "evaluate"}, {"step", 10}, {"label", "lm"}});
  EXPECT_FALSE(has_reached(line, run, 20));
  tell(run, {{"attempt", 1}, {"type", "evaluate"}, {"step", 20}, {"label", "lm"}});
  EXPECT_TRUE(has_reached(line, run, 20));
  EXPECT_TRUE(has_reached(line, run, 15));
}

}  // namespace
}  // namespace assay::launch
