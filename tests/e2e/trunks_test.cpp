// Runs that share steps are equal, to the byte, to runs that trained alone: records, weights and events, also when
// workers and controllers are killed, when attempts are repeated, and when runs are pruned.
#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "assay/random.h"
#include "e2e/programs.h"
#include "record/events.h"

namespace assay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kAlone = "experiment.share_trunks=false";

class Trunks : public testing::Programs {
 protected:
  // Four lengths under one constant rate, which decays over the last quarter, with dropout and an epoch's end on the
  // way.
  Trunks() {
    write_experiment();
    folder_.write("experiments/case.toml", R"(extends = ["tiny.toml"]
[experiment]
name = "tiny"
[model]
dropout = 0.1
[scheduler]
use = "wsd"
warmup = "2 steps"
decay = "25%"
[train]
batch = 20
checkpoint = "5 steps"
[log]
every = 2
[[sweep]]
[sweep.grid]
train.steps = [8, 12, 20, 40]
)");
  }

  // Everything of the runs that must not depend on how they were trained.
  std::map<std::string, std::string> exact(const std::string& results) {
    auto found = records(results);
    for (const auto& line : plan(results)) {
      const auto run = experiment(results).run(line["train_id"]);
      found[line["label"].get<std::string>() + " weights"] = base::read_file(run.weights());
      auto& events = found[line["label"].get<std::string>() + " events"];
      for (auto event : record::read_events(run.events())) {
        if (event["type"] == "start") continue;
        event.erase("attempt");
        events += without_measured(event).dump() + "\n";
      }
    }
    return found;
  }

  void expect_equal_to_alone(const std::string& results, const std::string& alone = "alone") {
    const auto one = exact(results), other = exact(alone);
    ASSERT_EQ(one.size(), other.size());
    for (const auto& [name, bytes] : other) EXPECT_TRUE(one.count(name) && one.at(name) == bytes) << name << " differs";
  }

  nlohmann::json trunk_of(const std::string& label, const std::string& results = "results") {
    return read_json(run_of(label, results).train_record())["measured"].value("trunk", nlohmann::json());
  }
};

TEST_F(Trunks, EqualRunsThatTrainedAlone) {
  ASSERT_EQ(call("plan experiments/case.toml"), 0) << err_;
  // Of 80 steps, 7 of 8, 10 of 12 and 16 of 20 are those of the run with 40.
  EXPECT_THAT(out_, HasSubstr("3 runs continue another one: 41% of 80 steps are trained once for several runs."));
  ASSERT_EQ(call(std::string("plan experiments/case.toml ") + kAlone), 0) << err_;
  EXPECT_THAT(out_, Not(HasSubstr("continue")));
  ASSERT_EQ(call("run experiments/case.toml"), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("3 runs continue another one"));
  ASSERT_EQ(call(std::string("run experiments/case.toml ") + kAlone, "alone"), 0) << err_;
  EXPECT_THAT(err_, Not(HasSubstr("continue")));
  expect_equal_to_alone("results");
  const auto longest = plan()[3]["train_id"];
  EXPECT_EQ(trunk_of("train.steps=8"), (nlohmann::json{{"run", longest}, {"step", 7}}));
  EXPECT_EQ(trunk_of("train.steps=12"), (nlohmann::json{{"run", longest}, {"step", 10}}));
  EXPECT_EQ(trunk_of("train.steps=20"), (nlohmann::json{{"run", longest}, {"step", 16}}));
  EXPECT_TRUE(trunk_of("train.steps=40").is_null());
  // The branch has trained its own steps alone.
  const auto events = read_events(run_of("train.steps=20"));
  EXPECT_EQ(events.front()["trunk"]["step"], 16);
  EXPECT_EQ(events.back()["attempt"], 2);
  for (const auto& event : events)
    if (event["type"] == "step") {
      EXPECT_EQ(event["attempt"] == 2, event["step"] > 16) << event;
    }
  // Nothing is left to do, and nothing is done again.
  ASSERT_EQ(call("run experiments/case.toml"), 0);
  EXPECT_THAT(err_, HasSubstr("4 already complete"));
}

// The second run leaves the constant rate of the first where it decays, and the third stops within the second's decay.
TEST_F(Trunks, ABranchIsATrunkItself) {
  folder_.write("experiments/twice.toml",
                "extends = [\"case.toml\"]\n[experiment]\nname = \"tiny\"\n[scheduler]\nlength = \"40 steps\"\n"
                "[[sweep]]\n[sweep.zip]\ntrain.steps = [40, 40, 30]\n"
                "scheduler.decay = [\"0 steps\", \"20 steps\", \"20 steps\"]\n");
  ASSERT_EQ(call("run experiments/twice.toml --jobs 2"), 0) << err_;
  ASSERT_EQ(call(std::string("run experiments/twice.toml ") + kAlone, "alone"), 0) << err_;
  expect_equal_to_alone("results");
  const auto lines = plan();
  EXPECT_EQ(trunk_of(lines[1]["label"]), (nlohmann::json{{"run", lines[0]["train_id"]}, {"step", 21}}));
  EXPECT_EQ(trunk_of(lines[2]["label"]), (nlohmann::json{{"run", lines[1]["train_id"]}, {"step", 27}}));
}

TEST_F(Trunks, ProcessesShareStepsAsWell) {
  if (!std::filesystem::exists(testing::build_folder() / "lib/libassay_mpi.so"))
    GTEST_SKIP() << "this build has no MPI";
  folder_.write("experiments/ranks.toml",
                "extends = [\"case.toml\"]\n[experiment]\nname = \"tiny\"\n"
                "[resources.mesh]\ntensor = 2\nbackend = \"mpi\"\n[[sweep]]\n[sweep.grid]\ntrain.steps = [20, 40]\n");
  ASSERT_EQ(call("run experiments/ranks.toml"), 0) << err_;
  ASSERT_EQ(call(std::string("run experiments/ranks.toml ") + kAlone, "alone"), 0) << err_;
  expect_equal_to_alone("results");
  EXPECT_EQ(trunk_of("train.steps=20")["step"], 16);
}

TEST_F(Trunks, EvaluationsOnTheWayAreThoseOfTheBranch) {
  folder_.write("experiments/way.toml",
                "extends = [\"case.toml\"]\n[experiment]\nname = \"tiny\"\n[[evaluate]]\nuse = \"lm\"\nlengths = [16]\n"
                "label = \"lm\"\nevery = \"5 steps\"\n");
  ASSERT_EQ(call("run experiments/way.toml"), 0) << err_;
  ASSERT_EQ(call(std::string("run experiments/way.toml ") + kAlone, "alone"), 0) << err_;
  expect_equal_to_alone("results");
  EXPECT_EQ(trunk_of("train.steps=20")["step"], 16);
}

TEST_F(Trunks, ABranchWhoseTrunkIsGoneTrainsAlone) {
  ASSERT_EQ(call("run experiments/case.toml --only train.steps=40"), 0) << err_;
  ASSERT_EQ(call("run experiments/case.toml"), 0) << err_;
  ASSERT_EQ(call(std::string("run experiments/case.toml ") + kAlone, "alone"), 0) << err_;
  expect_equal_to_alone("results");
  EXPECT_EQ(trunk_of("train.steps=12")["run"], plan()[2]["train_id"]);  // the longest of those that were left
}

TEST_F(Trunks, KilledAtAnyMoment) {
  ASSERT_EQ(call(std::string("run experiments/case.toml ") + kAlone, "alone"), 0) << err_;
  const int sweeps = std::getenv("ASSAY_SLOW_TESTS") ? 20 : 3;
  const Draws draws(1, "trunks");
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    const auto results = "killed" + std::to_string(sweep);
    const pid_t controller = start("run experiments/case.toml --jobs 2", results);
    std::this_thread::sleep_for(std::chrono::milliseconds(300 + draws.below(2500, static_cast<uint64_t>(sweep))));
    // The workers first, in the middle of what they do, and then the controller, before it starts others.
    std::error_code absent;
    for (const auto& run : std::filesystem::directory_iterator(experiment(results).folder() / "runs", absent))
      if (std::filesystem::exists(run.path() / "state.json"))
        if (const auto state = read_json(run.path() / "state.json"); state["status"] == "running")
          ::kill(state.value("pid", 0), SIGKILL);
    ::kill(controller, SIGKILL);
    ::waitpid(controller, nullptr, 0);
    int code = 1;  // a worker of the killed controller may still run
    for (int i = 0; i < 50 && code == 1; ++i) code = call("run experiments/case.toml --retries 2", results);
    ASSERT_EQ(code, 0) << err_;
    expect_equal_to_alone(results);
  }
}

TEST_F(Trunks, PrunedRunsAreTheSame) {
  folder_.write(
      "experiments/prune.toml",
      "extends = [\"case.toml\"]\n[experiment]\nname = \"tiny\"\n[prune]\nmetric = \"loss\"\nrungs = [\"4 steps\", "
      "\"7 steps\"]\nkeep = 0.5\n");
  ASSERT_EQ(call("run experiments/prune.toml"), 0) << err_;
  const auto shared = err_;
  EXPECT_THAT(shared, HasSubstr("continue another one"));
  ASSERT_EQ(call(std::string("run experiments/prune.toml ") + kAlone, "alone"), 0) << err_;
  const auto pruned = [](const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
      if (line.starts_with("pruned ")) lines.push_back(line);
    return lines;
  };
  EXPECT_EQ(pruned(shared), pruned(err_));
  EXPECT_EQ(pruned(shared).size(), 3);
  EXPECT_EQ(records("results"), records("alone"));
}

}  // namespace
}  // namespace assay
