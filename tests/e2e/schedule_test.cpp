// assay schedule prints and draws the learning rates that runs log, and the notes of components.
#include <gmock/gmock.h>

#include <cmath>

#include "e2e/programs.h"

namespace assay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Schedule : public testing::Programs {
 protected:
  std::vector<std::vector<std::string>> rows() const {
    std::vector<std::vector<std::string>> rows;
    std::istringstream text(out_);
    for (std::string line; std::getline(text, line);) {
      auto& row = rows.emplace_back();
      std::istringstream fields(line);
      for (std::string field; std::getline(fields, field, ',');) row.push_back(field);
    }
    return rows;
  }
};

TEST_F(Schedule, CsvHasTheRatesThatRunsLog) {
  write_experiment(
      "[log]\nevery = 1\n[[sweep]]\n[sweep.grid]\nscheduler = [{ use = \"bert\", warmup = \"2 steps\" }, "
      "{ use = \"decay_ramp\", rate = \"constant\", start = 0.5 }]\n");
  ASSERT_EQ(call("schedule experiments/tiny.toml --format csv"), 0) << err_;
  const auto table = rows();
  ASSERT_EQ(table.size(), 1 + 2 * 6u) << out_;
  EXPECT_EQ(table[0], (std::vector<std::string>{"run", "step", "rate", "weight_decay_factor"}));
  const std::vector<double> bert{0, 0.5, 4.0 / 6, 3.0 / 6, 2.0 / 6, 1.0 / 6};
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(table[1 + i][0], "scheduler=bert");
    EXPECT_EQ(table[1 + i][1], std::to_string(i));
    EXPECT_NEAR(std::stod(table[1 + i][2]), 1e-2 * bert[i], 1e-17);
    EXPECT_EQ(std::stod(table[1 + i][3]), 1.0);
    EXPECT_EQ(std::stod(table[7 + i][2]), 1e-2);
    EXPECT_NEAR(std::stod(table[7 + i][3]), 0.5 + 0.5 * static_cast<double>(i) / 6, 1e-16);
  }
  ASSERT_EQ(call("run experiments/tiny.toml"), 0) << err_;
  for (const auto& [label, row] : {std::pair{"scheduler=bert", 0u}, {"scheduler=decay_ramp", 6u}}) {
    size_t steps = 0;
    for (const auto& event : read_events(run_of(label)))
      if (event["type"] == "step") {
        EXPECT_EQ(event["lr"].get<double>(), std::stod(table[row + event["step"].get<size_t>()][2])) << event;
        ++steps;
      }
    EXPECT_EQ(steps, 6u);
  }
  ASSERT_EQ(call("schedule experiments/tiny.toml --format csv --points 3"), 0) << err_;
  const auto thinned = rows();
  ASSERT_EQ(thinned.size(), 1 + 2 * 3u);
  EXPECT_EQ(thinned[1][1], "1");  // the higher of steps 0 and 1
  EXPECT_EQ(thinned[2], table[3]);
  EXPECT_EQ(thinned[3], table[5]);
}

TEST_F(Schedule, DrawsEqualRatesOnce) {
  write_experiment(
      "[[sweep]]\n[sweep.grid]\nscheduler = [\"linear\", { use = \"polynomial\", power = 1 }, "
      "{ use = \"wsd\", decay = \"50%\" }]\n");
  ASSERT_EQ(call("schedule experiments/tiny.toml train.steps=64"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("scheduler=linear\nscheduler=polynomial\n"));
  EXPECT_THAT(out_, HasSubstr("  rate: 0.01 at step 0, highest 0.01 at 0, last 0.0001563 at 63\n"));
  EXPECT_THAT(out_, Not(HasSubstr("weight decay")));
  std::string row;
  for (int i = 0; i < 32; ++i) row += "\u2588";
  EXPECT_THAT(out_, HasSubstr("scheduler=wsd\n  " + row + "\u2588"));  // full up to the start of the decay
  EXPECT_EQ(call("schedule experiments/tiny.toml --points 3"), 2);
  EXPECT_EQ(call("schedule experiments/tiny.toml --format html"), 2);
}

// The schedule is part of a run's identity: with another schedule it is another run, which uses no state of the first
// one.
TEST_F(Schedule, AChangedScheduleIsAnotherRun) {
  write_experiment("[log]\nevery = 1\n");
  ASSERT_EQ(call("run experiments/tiny.toml train.keep=all"), 0) << err_;
  const auto first = experiment().run(plan()[0]["train_id"]);
  const std::string changed = "run experiments/tiny.toml train.keep=all scheduler.floor=0.5";
  ASSERT_EQ(call(changed), 0) << err_;
  const auto second = experiment().run(plan()[0]["train_id"]);
  ASSERT_NE(first.folder(), second.folder());
  std::filesystem::remove(second.train_record());
  std::filesystem::remove_all(second.checkpoints());
  std::filesystem::copy(first.checkpoints(), second.checkpoints(), std::filesystem::copy_options::recursive);
  ASSERT_EQ(call(changed), 0) << err_;
  nlohmann::json start;
  for (const auto& event : read_events(second))
    if (event["type"] == "start") start = event;
  EXPECT_FALSE(start.contains("from"));
  EXPECT_THAT(start["notes"].dump(), HasSubstr("it belongs to another run; the run does not resume from it"));
}

// Every verb that plans prints the notes that components have about a plan.
TEST_F(Schedule, NotesOfComponentsArePrinted) {
  write_experiment();
  ASSERT_EQ(call("plan experiments/tiny.toml optimizer='{ use = \"adam_weight_decay\" }'"), 0) << err_;
  EXPECT_THAT(err_,
              AllOf(HasSubstr("optimizer: no weight decay on model."), HasSubstr("norm"), Not(HasSubstr("warning"))));
  ASSERT_EQ(call("plan experiments/tiny.toml optimizer='{ use = \"adam_weight_decay\", no_decay = [\"up\"] }'"), 0);
  EXPECT_THAT(err_, HasSubstr("optimizer: warning: no_decay 'up' also matches model.layers.*.up.weight"));
}

}  // namespace
}  // namespace assay
