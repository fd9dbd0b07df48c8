// Runs that are repeated because weights or records were lost: where they start, and that the results equal the record.
#include <gmock/gmock.h>

#include "e2e/resume.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class RepeatedRun : public testing::Resume {
 protected:
  // Returns the losses in force, one per line.
  static std::string curve_of(const record::RunLayout& run) {
    std::string curve;
    for (const auto& event : assay::record::read_events(run.events()))
      if (event["type"] == "step") curve += event["step"].dump() + " " + event["loss"].dump() + "\n";
    return curve;
  }
};

// Training repeated on another mesh gives other bits and is refused. The next attempt does not start from its
// checkpoints, and the run's curve stays that of its record.
TEST_F(RepeatedRun, ARefusedAttemptIsNotResumed) {
  write_case({}, 1000000);
  const std::string again = "run experiments/case.toml train.keep=\"weights\"", otherwise = " resources.mesh.tensor=1";
  ASSERT_EQ(call(again), 0) << err_;
  const auto run = experiment().run(plan()[0]["train_id"]);
  const auto evaluation = run.eval_record(plan()[0]["evaluate"][0]["id"]);
  const auto weights = base::read_file(run.weights());
  const auto evaluated = records("results");
  const auto losses = curve_of(run);
  const auto lose = [&] {
    fs::remove(run.weights());
    fs::remove(evaluation);
  };
  lose();
  ASSERT_EQ(call(again + otherwise), 1);
  EXPECT_THAT(err_, HasSubstr("repeated training gave other weights"));
  EXPECT_FALSE(fs::exists(run.checkpoints()));
  EXPECT_EQ(curve_of(run), losses);
  ASSERT_EQ(call(again), 0) << err_;
  EXPECT_TRUE(base::read_file(run.weights()) == weights);
  EXPECT_EQ(records("results"), evaluated);

  // The attempt is killed before it could be refused.
  lose();
  write_case({}, 8);
  ASSERT_EQ(call(again + otherwise), 1);
  ASSERT_TRUE(fs::exists(run.checkpoints() / "step-6"));
  ASSERT_EQ(call(again), 0) << err_;
  EXPECT_THAT(
      start_of_last_attempt()["notes"].dump(),
      HasSubstr("step-6: it was made with another mesh, number of threads or device than the training of train.json"));
  EXPECT_TRUE(base::read_file(run.weights()) == weights);
  EXPECT_EQ(records("results"), evaluated);
}

// All verbs treat a truncated record as absent, and it is written again.
TEST_F(RepeatedRun, ATruncatedRecordIsWrittenAgain) {
  write_case({}, 1000000);
  ASSERT_EQ(call("run experiments/case.toml"), 0) << err_;
  const auto run = experiment().run(plan()[0]["train_id"]);
  const auto before = records("results");
  for (const auto& file : {run.train_record(), run.eval_record(plan()[0]["evaluate"][0]["id"])}) {
    const auto whole = base::read_file(file);
    folder_.write(fs::relative(file, folder_.path()), whole.substr(0, whole.size() / 2));
    ASSERT_EQ(call("status tiny"), 0) << err_;
    EXPECT_THAT(out_, HasSubstr("tiny: 0 done, 0 running, 0 failed, 1 queued"));
    EXPECT_EQ(call("compare tiny"), 0) << err_;
    EXPECT_THAT(out_, HasSubstr("0/1"));
    ASSERT_EQ(call("run experiments/case.toml"), 0) << err_;
    EXPECT_THAT(start_of_last_attempt()["notes"].dump(),
                HasSubstr(file.filename().string() + ": the record is corrupt; it is written again"));
    EXPECT_EQ(records("results"), before);
  }
}

}  // namespace
}  // namespace assay
