// Exit codes and messages of the real programs on good and bad input; wrong input starts no run.
#include <gmock/gmock.h>
#include <torch/csrc/api/include/torch/version.h>

#include "base/lock.h"
#include "e2e/programs.h"
#include "record/state.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class ExitCodes : public testing::Programs {
 protected:
  // Returns the exit code of assay-worker; its standard error is then in err_.
  int worker(const std::string& words) {
    const auto command = "cd '" + folder_.path().string() + "' && timeout -k 5 60 '" +
                         (testing::build_folder() / "bin/assay-worker").string() + "' " + words +
                         " >out 2>err </dev/null";
    const int status = std::system(command.c_str());
    out_ = base::read_file(folder_ / "out");
    err_ = base::read_file(folder_ / "err");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
};

TEST_F(ExitCodes, WrongInputExitsWithTwoAndStartsNothing) {
  write_experiment();
  folder_.write("experiments/syntax.toml", "[data\n");
  folder_.write("experiments/bad.toml",
                base::read_file(folder_ / "experiments/tiny.toml") + "[modle]\n[resources]\nthreds = 2\n");
  const std::pair<const char*, std::vector<const char*>> cases[] = {
      {"", {"usage: assay VERB"}},
      {"rum experiments/tiny.toml", {"unknown verb 'rum'; did you mean 'run'?"}},
      {"run", {"an experiment file is missing"}},
      {"run experiments/nowhere.toml", {"experiments/nowhere.toml", "No such file"}},
      {"run experiments/syntax.toml", {"syntax.toml:1:"}},
      {"run experiments/bad.toml",
       {"bad.toml:", "'modle'; did you mean 'model'?", "'threds' for [resources]; did you mean 'threads'?"}},
      {"run experiments/tiny.toml positional=alibbi", {"alibbi", "did you mean 'alibi'?"}},
      {"run experiments/tiny.toml model.heads=3", {"16", "3 heads"}},
      {"run experiments/tiny.toml resources.mesh.tensor=4", {"2 heads are not divisible by tensor = 4"}},
      {"run experiments/tiny.toml --jobs 0", {"--jobs must be at least 1"}},
      {"run experiments/tiny.toml resources.device=cpu train.precision=bf16", {"'bf16' needs a GPU", "use fp32"}},
      {"compare nothing", {"no results of an experiment 'nothing'"}},
      {"compare experiments/tiny.toml", {"the folder has no results"}},
      {"status nothing", {"nothing"}},
      {"describe alibbi", {"did you mean 'alibi'?"}}};
  for (const auto& [words, messages] : cases) {
    EXPECT_EQ(call(words), 2) << words << "\n" << err_;
    EXPECT_EQ(out_, "") << words;
    for (const char* message : messages) EXPECT_THAT(err_, HasSubstr(message)) << words;
  }
  EXPECT_FALSE(fs::exists(experiment().folder()));
}

TEST_F(ExitCodes, GoodInputExitsWithZero) {
  write_experiment();
  EXPECT_EQ(call("plan experiments/tiny.toml"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("1 run"));
  EXPECT_EQ(call("describe throws_in_hook"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("Calls that go well before."));
  EXPECT_EQ(call("help"), 0);
  EXPECT_EQ(call("plugins"), 0) << err_;
  EXPECT_THAT(out_, AllOf(HasSubstr("positional/alibi"), HasSubstr("positional/throws_in_hook")));
  for (const char* refusal :
       {"other_abi.so: the plugin was built for another version of assay (api: plugin 0, this assay 1;",
        "not_a_plugin.so: the file is not an assay plugin", "undefined symbol: assay_fixture_function_of_nobody",
        "throws_in_describe.so: the plugin cannot describe its components"})
    EXPECT_THAT(out_, HasSubstr(refusal));
  EXPECT_FALSE(fs::exists(marker_));  // other_abi leaves it when its code runs
}

TEST_F(ExitCodes, TheWorker) {
  EXPECT_EQ(worker(""), 2);
  EXPECT_THAT(err_, HasSubstr("usage: assay-worker describe"));
  EXPECT_EQ(worker("run --plan nowhere.jsonl"), 2);
  EXPECT_EQ(worker("run --plan nowhere.jsonl --run x --results results"), 1);
  EXPECT_THAT(err_, HasSubstr("nowhere.jsonl"));
  folder_.write("plan.jsonl", "");
  EXPECT_EQ(worker("run --plan plan.jsonl --run x --results results"), 2);
  EXPECT_THAT(err_, HasSubstr("the plan has no run with an id that begins with 'x'"));
  EXPECT_EQ(worker("describe"), 0) << err_;
  EXPECT_TRUE(nlohmann::json::accept(out_));
}

// LD_LIBRARY_PATH takes precedence over the path that the programs were linked with, so another LibTorch may be loaded.
TEST_F(ExitCodes, AWorkerThatLoadsAnotherLibTorch) {
  const auto other = testing::fixture_folder("other_libtorch");
  const auto first = "LD_LIBRARY_PATH='" + other.string() + "' ";
  write_experiment();
  EXPECT_EQ(call("run experiments/tiny.toml", "results", first), 2);
  EXPECT_THAT(err_, HasSubstr("assay-worker: the LibTorch at " + fs::canonical(other).string() +
                              "/libtorch_cpu.so has version 2.99.1; this build of assay needs LibTorch " TORCH_VERSION
                              ". LD_LIBRARY_PATH is '" +
                              other.string() + "'; remove"));
  ASSERT_EQ(call("run experiments/tiny.toml"), 0) << err_;
  EXPECT_EQ(read_json(experiment().run(plan()[0]["train_id"]).train_record())["environment"]["libtorch"],
            TORCH_VERSION);
}

// A worker does not start a run that another process holds, nor one whose plugin differs from the planned one.
TEST_F(ExitCodes, AWorkerThatMayNotRun) {
  write_experiment();
  ASSERT_EQ(call("run experiments/tiny.toml"), 0) << err_;
  const auto line = plan().at(0);
  const auto run = experiment().run(line["train_id"]);
  const auto words =
      "run --plan results/tiny/plan.jsonl --run " + line["train_id"].get<std::string>() + " --results results/tiny";
  fs::remove(run.train_record());
  const auto state = base::read_file(run.state());
  {
    const auto lock = base::FileLock::try_lock(run.lock());
    ASSERT_TRUE(lock);
    EXPECT_EQ(worker(words), record::kExitClaimed) << err_;
    EXPECT_EQ(base::read_file(run.state()), state);
  }
  auto changed = line;
  changed["plugins"]["positional/none"]["sha256"] = std::string(64, '0');
  folder_.write("results/tiny/plan.jsonl", changed.dump() + "\n");
  EXPECT_EQ(worker(words), 1);
  EXPECT_EQ(read_json(run.state())["class"], "user");
  EXPECT_THAT(read_json(run.state())["reason"].get<std::string>(),
              HasSubstr("none.so: it has changed since the plan was made"));
  folder_.write("results/tiny/plan.jsonl", line.dump() + "\n");
  EXPECT_EQ(worker(words), 0) << err_;
  EXPECT_TRUE(fs::exists(run.train_record()));
}

}  // namespace
}  // namespace assay
