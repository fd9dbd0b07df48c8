// Runs that start from other runs, runs that only evaluate, and budgets that depend on the model's size.
#include <gmock/gmock.h>

#include <cmath>

#include "e2e/programs.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

class Inputs : public testing::Programs {
 protected:
  // Writes experiments/after.toml: tiny.toml with `more` appended.
  void write_after(const std::string& more) {
    folder_.write("experiments/after.toml", "extends = [\"tiny.toml\"]\n" + more);
  }
  record::ExperimentLayout after() const { return record::ExperimentLayout(folder_ / "results" / "after"); }
  record::RunLayout run_in(const record::ExperimentLayout& experiment) const {
    return experiment.run(record::read_plan_lines(experiment.plan()).at(0).train_id);
  }
  json record_in(const record::ExperimentLayout& experiment) const {
    return read_json(run_in(experiment).train_record());
  }
  json metrics_in(const record::ExperimentLayout& experiment) const {
    const auto line = record::read_plan_lines(experiment.plan()).at(0);
    return read_json(run_in(experiment).eval_record(line.evaluate.at(0).id)).at("metrics");
  }
  double first_loss(const record::ExperimentLayout& experiment) const {
    for (const auto& event : read_events(run_in(experiment)))
      if (event["type"] == "step") return event["loss"];
    return 0;
  }
};

constexpr const char* kFromTiny = "[init]\nfrom = { experiment = \"tiny\" }\n";

TEST_F(Inputs, AreRunFirstOnRequestAndElseReported) {
  write_experiment();
  write_after(std::string(kFromTiny) +
              "[train]\nsteps = 0\n[[evaluate]]\nuse = \"lm\"\nlengths = [16, 64]\n[[evaluate]]\nuse = \"asks_run\"\n"
              "run = { experiment = \"tiny\" }\n");
  ASSERT_EQ(call("run experiments/after.toml"), 2) << err_;
  EXPECT_THAT(
      err_,
      HasSubstr("input runs are not finished or have no weights: tiny (1 run); run them first with --with-inputs"));
  EXPECT_FALSE(fs::exists(after().folder()));
  ASSERT_EQ(call("run experiments/after.toml --with-inputs"), 0) << err_;
  // No training step is between the two evaluations, so equal metrics show that all weights were loaded.
  EXPECT_EQ(metrics_in(after()), metrics_in(experiment()));
  // An evaluator that takes a run as input gets its folder and the hash of its weights.
  const auto asked = record::read_plan_lines(after().plan()).at(0).evaluate.at(1);
  const auto texts = read_json(run_in(after()).eval_record(asked.id)).at("examples").at(0).at("texts");
  EXPECT_TRUE(fs::equivalent(folder_ / texts.at("folder").get<std::string>(), run_in(experiment()).folder())) << texts;
  EXPECT_EQ(texts.at("sha256"), record_in(experiment())["weights_sha256"]);
  const auto record = record_in(after());
  EXPECT_EQ(record["steps"], 0);
  EXPECT_EQ(record["metrics"], json::array());
  EXPECT_EQ(record["config"]["init"]["from"]["sha256"], record_in(experiment())["weights_sha256"]);
  EXPECT_FALSE(record.contains("weights_sha256"));
  ASSERT_EQ(call("run experiments/after.toml --with-inputs"), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("1 already complete"));
}

TEST_F(Inputs, TrainingContinuesFromTheirWeights) {
  write_experiment("[log]\nevery = 1\n");
  ASSERT_EQ(call("run experiments/tiny.toml train.keep=all"), 0) << err_;
  write_after(kFromTiny);
  ASSERT_EQ(call("run experiments/after.toml"), 0) << err_;
  const double scratch = first_loss(experiment()), weights = first_loss(after());
  EXPECT_LT(weights, scratch - 0.1);
  const auto by_weights = record_in(after())["weights_sha256"];
  // With Adam's moments loaded as well, the first loss is the same and the first update differs.
  ASSERT_EQ(call("run experiments/after.toml init.load=all"), 0) << err_;
  EXPECT_EQ(first_loss(after()), weights);
  EXPECT_NE(record_in(after())["weights_sha256"], by_weights);
}

// When the same weights judge their own text, its likelihood equals the one at generation, computed without a cache.
TEST_F(Inputs, AnEvaluatorUsesAnotherRun) {
  write_experiment();
  const std::string asks =
      "[[evaluate]]\nuse = \"generation\"\nprompts = 5\nprompt_tokens = 6\ntokens = 9\nunit = \"tokens\"\n"
      "judge = { experiment = \"tiny\" }\n[[evaluate]]\nuse = \"lm\"\nremove = true\n";
  write_after(std::string(kFromTiny) + asks + "[train]\nsteps = 0\n");
  ASSERT_EQ(call("run experiments/after.toml --with-inputs"), 0) << err_;
  const auto metric = [&](const std::string& name) {
    for (const auto& one : metrics_in(after()))
      if (one["name"] == name) return one["value"].get<double>();
    ADD_FAILURE() << "no metric " << name;
    return 0.0;
  };
  EXPECT_EQ(metric("ended"), 0);
  EXPECT_NEAR(metric("judge_nll"), metric("nll"), 1e-4);
  EXPECT_GT(std::abs(metric("human_judge_nll") - metric("nll")), 0.01);
  // The judge has another positional scheme: its components are loaded for it, and the record names it.
  write_after(asks + "[positional]\nuse = \"rotary\"\n");
  ASSERT_EQ(call("run experiments/after.toml"), 0) << err_;
  const auto line = record::read_plan_lines(after().plan()).at(0);
  const auto record = read_json(run_in(after()).eval_record(line.evaluate.at(0).id));
  EXPECT_EQ(line.plugins.count("positional/none"), 0u);
  EXPECT_TRUE(record["code"]["evaluator"].contains("positional/none"));
  EXPECT_TRUE(record["code"]["evaluator"].contains("decoder/greedy"));
  EXPECT_EQ(record["config"]["judge"]["sha256"], record_in(experiment())["weights_sha256"]);
  EXPECT_EQ(record_in(after())["code"]["plugins"].count("positional/none"), 0u);
}

TEST_F(Inputs, MissingInputsAreReported) {
  write_experiment();
  ASSERT_EQ(call("run experiments/tiny.toml"), 0) << err_;
  write_after(kFromTiny);
  ASSERT_EQ(call("run experiments/after.toml init.load=all"), 2) << err_;  // no run was started
  EXPECT_THAT(err_, HasSubstr("the folder holds no checkpoint, so there is no optimizer state to load"));
  folder_.write("results/tiny/runs/" + run_in(experiment()).folder().filename().string() + "/weights.safetensors", "x");
  ASSERT_EQ(call("run experiments/after.toml"), 1) << err_;
  EXPECT_THAT(err_, HasSubstr("weights.safetensors does not match the train record"));
  folder_.write("weights.safetensors", "x");
  write_after("[init]\nweights = \"../weights.safetensors\"\n");
  ASSERT_EQ(call("run experiments/after.toml"), 2) << err_;
  EXPECT_THAT(err_, HasSubstr("weights.safetensors: "));
}

// A run without a table of positions cannot load one.
TEST_F(Inputs, TensorsWithoutAPlaceAreRefusedOrReported) {
  write_experiment();
  ASSERT_EQ(call("run experiments/tiny.toml 'positional={use=\"learned\",positions=64}'"), 0) << err_;
  write_after(kFromTiny);
  ASSERT_EQ(call("plan experiments/after.toml"), 2);
  EXPECT_THAT(
      err_,
      HasSubstr(
          "weights.safetensors: the file has tensors that this run does not use: 'model.positional.weight'; add the "
          "components that they belong to, or list them in [init] ignore (a full name, or a prefix up to a dot)"));
  write_after(kFromTiny + std::string("ignore = [\"model.positional\"]\n"));
  ASSERT_EQ(call("run experiments/after.toml"), 0) << err_;
  EXPECT_EQ(record_in(after())["config"]["init"]["ignore"], json{"model.positional"});
}

// The exported weights of a run can be loaded like any file of weights.
TEST_F(Inputs, AFileOfWeights) {
  write_experiment();
  ASSERT_EQ(call("run experiments/tiny.toml"), 0) << err_;
  fs::copy_file(run_in(experiment()).weights(), folder_ / "start.safetensors");
  write_after("[init]\nweights = \"../start.safetensors\"\n[train]\nsteps = 0\n");
  ASSERT_EQ(call("run experiments/after.toml"), 0) << err_;
  EXPECT_EQ(metrics_in(after()), metrics_in(experiment()));
}

TEST_F(Inputs, ABudgetOfFlopsIsOfTheModelThatIsTrained) {
  write_experiment();
  ASSERT_EQ(call("run experiments/tiny.toml"), 0) << err_;
  const double parameters = record_in(experiment())["parameters"], tokens_per_step = 4 * 16;
  const auto target = 6 * parameters * tokens_per_step * 4.5;
  write_after("[train]\nflops = " + std::to_string(target) + "\n");
  ASSERT_EQ(call("run experiments/after.toml"), 0) << err_;
  const auto record = record_in(after());
  EXPECT_EQ(record["steps"], 4);
  EXPECT_EQ(record["budget"]["kind"], "flops");
  EXPECT_NEAR(record["budget"]["target"].get<double>(), target, 1);
  EXPECT_DOUBLE_EQ(record["budget"]["actual"], 6 * parameters * tokens_per_step * 4);
}

class Recheck : public Inputs {
 protected:
  // Changes the records as if another build of the library had trained the run.
  void age(const std::string& code) {
    const auto run = run_in(experiment());
    auto record = read_json(run.train_record());
    record["code"]["training"] = code;
    base::write_atomically(run.train_record(), record.dump());
  }
};

TEST_F(Recheck, BitwiseEqualityIsAcceptedUpToTheReplayedStep) {
  write_experiment("[log]\nevery = 2\n");
  ASSERT_EQ(call("run experiments/tiny.toml"), 0) << err_;
  ASSERT_EQ(call("recheck experiments/tiny.toml"), 0) << err_;
  EXPECT_EQ(out_, "tiny: no training record is stale\n");
  age("0123456789");
  ASSERT_EQ(call("plan experiments/tiny.toml"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("1 stale"));
  ASSERT_EQ(call("recheck experiments/tiny.toml --steps 5"), 0) << err_;
  EXPECT_EQ(out_, "tiny: bitwise equal up to step 4 (seed 1); today's code is accepted for 1 run\n");
  ASSERT_EQ(call("plan experiments/tiny.toml"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("1 done"));
  age("9876543210");  // no replay covers that code
  ASSERT_EQ(call("plan experiments/tiny.toml"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("1 stale"));
}

TEST_F(Recheck, OneDifferentBitIsNotAccepted) {
  write_experiment("[log]\nevery = 2\n");
  ASSERT_EQ(call("run experiments/tiny.toml"), 0) << err_;
  age("0123456789");
  const auto events = run_in(experiment()).events();
  auto text = base::read_file(events);
  const auto at = text.rfind("\"loss\":", text.find("\"step\":4"));
  ASSERT_NE(at, std::string::npos);
  text[text.find('.', at) + 3] = text[text.find('.', at) + 3] == '5' ? '6' : '5';
  base::write_atomically(events, text);
  ASSERT_EQ(call("recheck experiments/tiny.toml"), 1) << err_;
  EXPECT_THAT(out_, HasSubstr("NOT equal (seed 1): at step 4 'loss' was "));
  ASSERT_EQ(call("plan experiments/tiny.toml"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("1 stale"));
}

}  // namespace
}  // namespace assay
