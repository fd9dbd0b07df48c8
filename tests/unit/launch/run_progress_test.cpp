// The progress of a run and its remaining time, evaluations included; times worked out by hand.
#include "launch/run_progress.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/temporary_folder.h"

namespace assay::launch {
namespace {

using nlohmann::json;

class EvaluatedRun : public ::testing::Test {
 protected:
  // 100 steps; lm is evaluated every 40 (40, 80 and the end), fim at the end.
  EvaluatedRun() {
    run_.name = "a";
    run_.evaluations = {{"lm", 40, -1, {}}, {"fim", 0, -1, {}}};
    take({{"type", "start"}, {"steps", 100}, {"measured", {{"seconds", 2}}}});
  }
  void take(json event, int attempt = 1) {
    event["attempt"] = attempt;
    apply_event(run_, event);
  }
  void step(int step, double seconds) {
    take({{"type", "step"}, {"step", step}, {"measured", {{"seconds", seconds}}}});
  }
  void evaluated(int step, const std::string& label, double seconds) {
    take({{"type", "evaluate"}, {"step", step}, {"label", label}, {"measured", {{"seconds", seconds}}}});
  }
  void evaluating(json now) {
    now["attempt"] = now.value("attempt", 1);
    apply_evaluation_progress(run_, folder_.write("progress.json", now.dump()));
    run_.seconds += now["seconds"].get<double>();
  }

  testing::TemporaryFolder folder_;
  RunProgress run_;
};

TEST_F(EvaluatedRun, UnknownTimesAreNotCountedAndAreNamed) {
  step(20, 10);  // 80 more at half a second each
  EXPECT_EQ(describe(run_), "a  20/100  40s left + evaluation");
}

TEST_F(EvaluatedRun, FutureEvaluationsTakeAsLongAsTheLastOne) {
  step(40, 20);
  evaluated(40, "lm", 6);
  step(60, 36);  // 60 steps in 30 s besides the evaluation: 20 s more, lm at 80 and at the end
  EXPECT_EQ(describe(run_), "a  60/100  32s left + evaluation");
  run_.evaluations[1].seconds = 10;  // estimated from another run
  EXPECT_EQ(describe(run_), "a  60/100  42s left");
}

TEST_F(EvaluatedRun, ARunningEvaluationIsShownWithItsProgress) {
  run_.evaluations[1].seconds = 10;
  step(100, 50);
  evaluating({{"label", "lm"}, {"step", 100}, {"batches", 7}, {"share", 0.25}, {"seconds", 3}});
  EXPECT_EQ(describe(run_), "a  100/100  evaluating lm 25%  19s left");  // 9 of lm, 10 of fim
  evaluated(100, "lm", 12);
  evaluating({{"label", "fim"}, {"step", 100}, {"batches", 7}, {"seconds", 4}});
  EXPECT_EQ(describe(run_), "a  100/100  evaluating fim, batch 8  6s left");
  evaluated(100, "fim", 11);
  EXPECT_EQ(describe(run_), "a  100/100  0s left");
}

TEST_F(EvaluatedRun, AnEvaluationWithoutProgressGivesNoEstimate) {
  step(100, 50);
  evaluated(100, "lm", 12);
  evaluating({{"label", "fim"}, {"step", 100}, {"batches", 0}, {"seconds", 4}});
  EXPECT_EQ(describe(run_), "a  100/100  evaluating fim, batch 1");
}

// lm runs at step 40: its progress gives its duration, and two more evaluations of lm and 60 steps in 30 s follow.
TEST_F(EvaluatedRun, AnEvaluationBeforeTheEndLeavesTrainingSteps) {
  run_.evaluations[1].seconds = 10;
  step(40, 20);
  evaluating({{"label", "lm"}, {"step", 40}, {"batches", 1}, {"share", 0.5}, {"seconds", 2}});
  EXPECT_EQ(describe(run_), "a  40/100  evaluating lm 50%  50s left");  // 30 + 2 + 2 * 4 + 10
}

TEST_F(EvaluatedRun, FilesOfAnotherAttemptAreIgnored) {
  step(100, 50);
  evaluating({{"attempt", 7}, {"label", "lm"}, {"step", 100}, {"batches", 7}, {"seconds", 3}});
  EXPECT_FALSE(run_.evaluating);
  apply_evaluation_progress(run_, folder_ / "nothing");
  EXPECT_FALSE(run_.evaluating);
}

// Evaluations that have their record are not repeated and take no time.
TEST_F(EvaluatedRun, OnlyEvaluationsWithoutARecordCount) {
  const record::RunLayout files(folder_ / "run");
  Job job{
      .train_id = "t", .name = "a", .run = files, .steps = 100, .evaluations = {{"e1", "lm", 40}, {"e2", "fim", 0}}};
  folder_.write("run/eval/e1.json", "{}\n");
  EXPECT_EQ(progress_of(job).evaluations.size(), 2u);  // the training has no record
  folder_.write("run/train.json", "{}\n");
  ASSERT_EQ(progress_of(job).evaluations.size(), 1u);
  EXPECT_EQ(progress_of(job).evaluations[0].label, "fim");
}

}  // namespace
}  // namespace assay::launch
