// Runs with several ranks, as threads and as processes: they give equal bits, and the state reports the cause when one
// fails.
#include <gmock/gmock.h>

#include <chrono>

#include "e2e/programs.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

bool has_mpi() { return fs::exists(testing::build_folder() / "lib/libassay_mpi.so"); }

class Ranks : public testing::Programs {
 protected:
  void write_case(const std::string& mesh, const std::string& more = "") {
    write_experiment("[resources]\nmesh = " + mesh + "\nmicro_batch = 1\ncheck_replicas_every = 2\n[log]\nevery = 1\n" +
                     more);
  }
  // Losses by step, the metrics and the weights.
  std::map<std::string, std::string> numbers(const std::string& results) {
    std::map<std::string, std::string> found;
    const auto run = experiment(results).run(plan(results)[0]["train_id"]);
    for (const auto& event : read_events(run))
      if (event["type"] == "step") found["losses"] += event["loss"].dump() + " " + event["grad_norm"].dump() + "\n";
    found["weights"] = base::read_file(run.weights());
    found["training"] = read_json(run.train_record())["metrics"].dump();
    found["evaluation"] = read_json(run.eval_record(plan(results)[0]["evaluate"][0]["id"]))["metrics"].dump();
    return found;
  }
  json state() { return read_json(experiment().run(plan()[0]["train_id"]).state()); }
};

// Four processes and four threads: every sum is in rank order, so all bits are equal.
TEST_F(Ranks, ProcessesGiveTheBitsOfThreads) {
  if (!has_mpi()) GTEST_SKIP() << "this build has no MPI";
  const std::string words = "run experiments/tiny.toml model.dropout=0.1 model.heads=4";
  int number = 0;
  for (const std::string mesh : {"tensor = 2, data = 2", "tensor = 4, sequence_parallel = true", "data = 4"}) {
    const auto threads = "threads" + std::to_string(++number), processes = "processes" + std::to_string(number);
    write_case("{ " + mesh + " }");
    ASSERT_EQ(call(words, threads), 0) << err_;
    write_case("{ " + mesh + ", backend = \"mpi\", check_calls = true }");
    ASSERT_EQ(call(words, processes), 0) << err_;
    EXPECT_TRUE(numbers(processes) == numbers(threads)) << mesh;
    const auto run = experiment(processes).run(plan(processes)[0]["train_id"]);
    EXPECT_EQ(read_json(run.train_record())["environment"]["mesh"]["backend"], "mpi");
    ASSERT_EQ(call(words, processes), 0) << err_;
    EXPECT_THAT(err_, HasSubstr("1 already complete"));
  }
}

// One of two ranks fails, in each way: the run ends at once, and its state has the cause.
struct Failure {
  const char *name, *mesh, *how;
};
void PrintTo(const Failure& failure, std::ostream* stream) { *stream << failure.name; }

// A later attempt would load the checkpoint on all ranks, and the difference would go unnoticed.
TEST_F(Ranks, NoCheckpointIsSavedWhenReplicasDiffer) {
  write_case("{ tensor = 2 }", "[[callback]]\nuse = \"fails_on_rank\"\nhow = \"changes\"\n");
  for (int attempt = 0; attempt < 2; ++attempt) {
    EXPECT_EQ(call("run experiments/tiny.toml resources.check_replicas_every=6 'train.checkpoint=\"2 steps\"'"), 1)
        << err_;
    EXPECT_EQ(state()["class"], "replicas") << state();
    EXPECT_FALSE(fs::exists(experiment().run(plan()[0]["train_id"]).checkpoints()));
  }
}

class RankFails : public Ranks, public ::testing::WithParamInterface<Failure> {
 protected:
  // Returns the state of the run, or nothing where the case cannot run here.
  bool fails() {
    const auto& [name, mesh, how] = GetParam();
    if (std::string(mesh).find("mpi") != std::string::npos && !has_mpi()) return false;
    write_case(mesh, "[[callback]]\nuse = \"fails_on_rank\"\n" + std::string(how) + "\n");
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(call("run experiments/tiny.toml"), 1) << err_;
    // This is not a test of speed: a rank that waits for a lost one waits for a minute or longer.
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(45));
    return true;
  }
};

TEST_P(RankFails, EndsTheRunWithTheCause) {
  if (!fails()) GTEST_SKIP() << "this build has no MPI";
  const std::string how = GetParam().name, reason = state()["reason"], failure_class = state()["class"];
  const auto is = [&](const char* what) { return how.find(what) != std::string::npos; };
  EXPECT_THAT(err_, HasSubstr(reason));
  if (is("throws")) {
    EXPECT_THAT(reason,
                AllOf(HasSubstr("'fails_on_rank'"), HasSubstr("'after_step'"), HasSubstr("thrown on one rank")));
    EXPECT_EQ(failure_class, "plugin");
  } else if (is("refuses")) {
    EXPECT_THAT(reason, AllOf(HasSubstr("'fails_on_rank'"), HasSubstr("'build'"), HasSubstr("refused on one rank")));
    EXPECT_EQ(failure_class, "plugin");
  } else if (is("dies")) {
    EXPECT_THAT(reason, HasSubstr("killed by SIGKILL"));
    EXPECT_EQ(failure_class, "signal");
  } else if (is("calls")) {
    EXPECT_THAT(reason, AllOf(HasSubstr("must make the same calls"), HasSubstr("barrier")));
  } else {
    EXPECT_THAT(reason, AllOf(HasSubstr("'model.final_norm.weight'"),
                              HasSubstr("differs between the 2 ranks of the tensor axis")));
    EXPECT_EQ(failure_class, "replicas");
  }
}

constexpr const char *kThreads = "{ tensor = 2 }",
                     *kProcesses = "{ tensor = 2, backend = \"mpi\", check_calls = true }";
INSTANTIATE_TEST_SUITE_P(Backends, RankFails,
                         ::testing::Values(Failure{"threads_throws", kThreads, "how = 'throws'"},
                                           Failure{"threads_calls", kThreads, "how = 'calls'"},
                                           Failure{"threads_changes", kThreads, "how = 'changes'"},
                                           Failure{"processes_refuses", kProcesses, "how = 'refuses'"},
                                           Failure{"processes_throws", kProcesses, "how = 'throws'"},
                                           Failure{"processes_first_throws", kProcesses,
                                                   "how = 'throws'\nfirst = true"},
                                           Failure{"processes_dies", kProcesses, "how = 'dies'"},
                                           Failure{"processes_first_dies", kProcesses, "how = 'dies'\nfirst = true"},
                                           Failure{"processes_calls", kProcesses, "how = 'calls'"},
                                           Failure{"processes_changes", kProcesses, "how = 'changes'"}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace assay
