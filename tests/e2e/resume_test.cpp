// A run that is killed at any step and resumed writes the same bytes as one that was never killed: weights, optimizer
// state, losses and records, over the end of an epoch, with dropout and micro-batches, for every pair of plugins in the
// tree, every mesh and every schedule.
#include "e2e/resume.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "assay/random.h"
#include "e2e/pairwise.h"
#include "record/events.h"
#include "run/checkpoint/safetensors.h"

namespace assay {
namespace {

using testing::kSteps;
namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Returns the overlay that puts one plugin into the tiny experiment: its own smoke.toml, or its name under its kind.
std::string overlay_of(const std::string& kind, const std::string& name) {
  if (kind == "dataset" || kind == "tokenizer") return "[data]\n" + kind + " = \"" + name + "\"\n";
  if (kind == "objective" || kind == "transform" || kind == "tracker" || kind == "callback")
    return "[[" + kind + "]]\nuse = \"" + name + "\"\n";
  if (kind == "evaluator") return "[[evaluate]]\nuse = \"" + name + "\"\n";
  return "[" + kind + "]\nuse = \"" + name + "\"\n";
}

// Plugins that need a bidirectional model, or rows of documents with certain fields, are tested together in
// resume_together_test.cpp.
bool is_tested_elsewhere(const std::string& kind, const std::string& name) {
  static const std::set<std::string> kElsewhere{
      "model/bert",           "objective/cocolm",   "evaluator/pll",          "evaluator/alignment",
      "evaluator/probe",      "model/t5",           "transform/norm_views",   "transform/labelled",
      "objective/classifier", "evaluator/views",    "evaluator/norm_control", "evaluator/classification",
      "transform/dialogue",   "evaluator/self_play"};
  return kElsewhere.count(kind + "/" + name) > 0;
}

// The plugins of every kind, from the folders plugins/<kind>/<name>, that take part in training.
std::map<std::string, std::vector<std::string>> plugins_of_the_tree() {
  static const std::set<std::string> kOthers{"decoder", "exchange", "scorer", "attack", "defense"};
  std::map<std::string, std::vector<std::string>> plugins;
  const char* source = std::getenv("ASSAY_SOURCE_DIR");
  if (!source) return plugins;
  for (const auto& kind : fs::directory_iterator(fs::path(source) / "plugins"))
    if (kind.is_directory() && !kOthers.count(kind.path().filename()))
      for (const auto& plugin : fs::directory_iterator(kind))
        if (plugin.is_directory() && !is_tested_elsewhere(kind.path().filename(), plugin.path().filename()))
          plugins[kind.path().filename()].push_back(plugin.path().filename());
  for (auto& [kind, names] : plugins) std::sort(names.begin(), names.end());
  return plugins;
}

struct Case {
  std::map<std::string, std::string> plugins;  // kind: name
  std::string mesh;
  int repetition = 0;
};

std::string name_of(const Case& row) {
  std::string name;
  for (const auto& [kind, plugin] : row.plugins)
    if (plugins_of_the_tree()[kind].size() > 1) name += plugin + "_";
  for (const char c : row.mesh)
    if (std::isdigit(static_cast<unsigned char>(c))) name += c;
  return name + (row.repetition > 0 ? "_" + std::to_string(row.repetition) : "");
}
void PrintTo(const Case& row, std::ostream* stream) { *stream << name_of(row); }

// Each row is killed at one random step; with ASSAY_SLOW_TESTS at several, 200 kills in all.
std::vector<Case> cases() {
  const auto plugins = plugins_of_the_tree();
  const std::vector<std::string> meshes{"{ tensor = 1, data = 1 }", "{ tensor = 2, data = 1 }",
                                        "{ tensor = 1, data = 2 }", "{ tensor = 2, data = 2 }"};
  // A schedule is a pure function of the step: each one is in some row, but need not be paired with every other plugin.
  std::vector<size_t> counts{meshes.size()};
  for (const auto& [kind, names] : plugins)
    if (kind != "scheduler") counts.push_back(names.size());
  std::vector<Case> cases;
  const auto rows = testing::pairwise(counts);
  const size_t kills = std::getenv("ASSAY_SLOW_TESTS") ? std::max<size_t>(200, rows.size()) : rows.size();
  for (size_t i = 0; i < kills; ++i) {
    const auto& row = rows[i % rows.size()];
    Case one{{}, meshes[row[0]], static_cast<int>(i / rows.size())};
    size_t choice = 0;
    for (const auto& [kind, names] : plugins)
      one.plugins[kind] = names[kind == "scheduler" ? i % names.size() : row[++choice]];
    cases.push_back(one);
  }
  return cases;
}

class ResumeOfPlugins : public testing::Resume, public ::testing::WithParamInterface<Case> {};

TEST_P(ResumeOfPlugins, EqualsTheUninterruptedRun) {
  std::vector<std::string> files;
  for (const auto& [kind, name] : GetParam().plugins) {
    const auto smoke = fs::path(std::getenv("ASSAY_SOURCE_DIR")) / "plugins" / kind / name / "smoke.toml";
    if (!fs::exists(smoke)) folder_.write("experiments/" + kind + ".toml", overlay_of(kind, name));
    files.push_back(fs::exists(smoke) ? smoke.string() : kind + ".toml");
  }
  const int killed_at = 1 + static_cast<int>(Draws(1, name_of(GetParam())).below(testing::kSteps, 0));
  write_case(files, killed_at, "step", GetParam().mesh);
  ASSERT_EQ(call("run experiments/case.toml"), 1) << err_;
  ASSERT_TRUE(fs::exists(marker_)) << err_;
  EXPECT_THAT(err_, HasSubstr("killed by SIGKILL"));
  ASSERT_EQ(call("run experiments/case.toml"), 0) << err_;
  EXPECT_EQ(start_of_last_attempt().value("from", 0), (killed_at - 1) / 3 * 3) << "killed at step " << killed_at;
  ASSERT_EQ(call("run experiments/case.toml", "never_killed"), 0) << err_;
  expect_equal(exact("results"), exact("never_killed"));
}

INSTANTIATE_TEST_SUITE_P(Tree, ResumeOfPlugins, ::testing::ValuesIn(cases()),
                         [](const auto& info) { return name_of(info.param); });

class ResumeOfRun : public testing::Resume {};

// The run is killed after training, in its evaluation: only the evaluation is repeated.
TEST_F(ResumeOfRun, FinishedTrainingIsNotRepeated) {
  write_case({}, 1, "evaluate");
  ASSERT_EQ(call("run experiments/case.toml"), 1) << err_;
  ASSERT_TRUE(fs::exists(marker_));
  ASSERT_EQ(call("run experiments/case.toml"), 0) << err_;
  EXPECT_EQ(start_of_last_attempt()["from"], testing::kSteps);
  const auto measured = read_json(experiment().run(plan()[0]["train_id"]).train_record())["measured"];
  EXPECT_GT(measured["seconds"], measured["train_seconds"]) << measured;  // both times include all attempts
  ASSERT_EQ(call("run experiments/case.toml", "never_killed"), 0) << err_;
  expect_equal(exact("results"), exact("never_killed"));
}

// The newest loss of each step.
std::map<int, double> losses_of(const std::vector<json>& events) {
  std::map<int, double> losses;
  for (const auto& event : events)
    if (event["type"] == "step") losses[event["step"]] = event["loss"];
  return losses;
}

void expect_near(const run::SafetensorsFile& one, const run::SafetensorsFile& other, double tolerance) {
  ASSERT_EQ(one.names(), other.names());
  for (const auto& name : one.names())
    EXPECT_LE((one.read(name) - other.read(name)).abs().max().item<double>(), tolerance) << name;
}

// A checkpoint holds whole tensors: a run on two ranks continues on one rank and on four from the same state, and ends
// with the same weights up to the order of sums.
TEST_F(ResumeOfRun, ContinuesOnAnotherMesh) {
  constexpr double kTolerance = 1e-11;
  write_case({}, 1, "evaluate");
  const auto run_on = [&](int ranks) {
    return call("run experiments/case.toml model.heads=4 train.precision=fp64 resources.mesh.tensor=" +
                std::to_string(ranks));
  };
  ASSERT_EQ(run_on(2), 1) << err_;
  const auto run = experiment().run(plan()[0]["train_id"]);
  fs::copy_file(run.checkpoints() / "step-12/weights.safetensors", folder_ / "two_ranks.safetensors");
  const auto losses = losses_of(read_events(run));
  ASSERT_EQ(losses.size(), testing::kSteps);
  for (const int ranks : {4, 1}) {
    fs::remove_all(run.checkpoints() / "step-12");  // from step 9
    fs::remove_all(run.folder() / "eval");
    fs::remove(run.train_record());
    ASSERT_EQ(run_on(ranks), 0) << err_;
    EXPECT_EQ(start_of_last_attempt()["from"], 9);
    expect_near(run::SafetensorsFile(run.weights()), run::SafetensorsFile(folder_ / "two_ranks.safetensors"),
                kTolerance);
    for (const auto& [step, loss] : losses_of(read_events(run)))
      EXPECT_NEAR(loss, losses.at(step), kTolerance) << "step " << step << " on " << ranks;
    const auto environment = read_json(run.train_record())["environment"];
    EXPECT_EQ(environment["mesh"]["tensor"], ranks);
    const auto& continued = environment["continued"];
    ASSERT_EQ(continued.size(), 2u) << environment;
    for (const auto& [place, from, tensor] : {std::tuple{0, 0, 2}, {1, 9, ranks}}) {
      EXPECT_EQ(continued[place]["from"], from);
      EXPECT_EQ(continued[place]["mesh"]["tensor"], tensor);
      EXPECT_EQ(continued[place]["threads"], 1);
      EXPECT_EQ(continued[place]["device"], "cpu");
    }
  }
}

TEST_F(ResumeOfRun, SkipsACorruptCheckpointAndReportsIt) {
  write_case({}, 8);
  ASSERT_EQ(call("run experiments/case.toml"), 1) << err_;
  const auto run = experiment().run(plan()[0]["train_id"]);
  auto bytes = base::read_file(run.checkpoints() / "step-6/weights.safetensors");
  bytes[bytes.size() - 3] ^= 1;
  folder_.write(fs::relative(run.checkpoints() / "step-6/weights.safetensors", folder_.path()), bytes);
  ASSERT_EQ(call("run experiments/case.toml"), 0) << err_;
  EXPECT_EQ(start_of_last_attempt()["from"], 3);
  EXPECT_THAT(start_of_last_attempt()["notes"].dump(),
              AllOf(HasSubstr("step-6"),
                    HasSubstr("it is corrupt: the SHA-256 of weights.safetensors is not that of its manifest")));
  EXPECT_THAT(err_, HasSubstr("it is corrupt: the SHA-256 of weights.safetensors is not that of its manifest"));
  ASSERT_EQ(call("run experiments/case.toml", "never_killed"), 0) << err_;
  expect_equal(exact("results"), exact("never_killed"));
}

// The training code has changed: a run that the old code began is not continued with the new code.
TEST_F(ResumeOfRun, StartsFromScratchUnderOtherCode) {
  write_case({}, 5);
  ASSERT_EQ(call("run experiments/case.toml"), 1) << err_;
  const auto manifest = experiment().run(plan()[0]["train_id"]).checkpoints() / "step-3/manifest.json";
  auto changed = read_json(manifest);
  changed["code"] = "another build";
  folder_.write(fs::relative(manifest, folder_.path()), changed.dump());
  ASSERT_EQ(call("run experiments/case.toml"), 0) << err_;
  EXPECT_FALSE(start_of_last_attempt().contains("from"));
  EXPECT_THAT(start_of_last_attempt()["notes"].dump(), HasSubstr("made by other code"));
}

// Evaluations of a run without a training record may belong to weights that other code trained.
TEST_F(ResumeOfRun, EvaluationsWithoutATrainingRecordAreRepeated) {
  write_case({}, 100);
  ASSERT_EQ(call("run experiments/case.toml"), 0) << err_;
  const auto before = records("results");
  const auto run = experiment().run(plan()[0]["train_id"]);
  fs::remove(run.train_record());
  for (const auto& file : {run.eval_record(plan()[0]["evaluate"][0]["id"]), run.eval_record("of another plan")}) {
    auto stale = read_json(run.eval_record(plan()[0]["evaluate"][0]["id"]));
    stale["metrics"][0]["value"] = 123456;
    folder_.write(fs::relative(file, folder_.path()), stale.dump());
  }
  EXPECT_EQ(call("compare tiny --format csv"), 0) << err_;
  EXPECT_EQ(out_.find("123456"), std::string::npos) << out_;
  ASSERT_EQ(call("run experiments/case.toml"), 0) << err_;
  EXPECT_EQ(records("results"), before);
}

// A training that has its record is repeated only to restore its weights, and is accepted only if the weights are the
// same.
TEST_F(ResumeOfRun, LostWeightsAreRestoredOnlyIfEqual) {
  write_case({}, 100);
  const std::string again = "run experiments/case.toml train.keep=\"weights\"";
  ASSERT_EQ(call(again), 0) << err_;
  const auto run = experiment().run(plan()[0]["train_id"]);
  const auto evaluation = run.eval_record(plan()[0]["evaluate"][0]["id"]);
  const auto weights = base::read_file(run.weights()), record = base::read_file(run.train_record());
  const auto evaluated = records("results");
  const auto with_record = [&](const std::string& key, const json& value) {
    auto changed = json::parse(record);
    changed[json::json_pointer(key)] = value;
    folder_.write(fs::relative(run.train_record(), folder_.path()), changed.dump());
    fs::remove(evaluation);
    fs::remove(run.weights());
  };
  with_record("/code/training", "another build");
  EXPECT_EQ(call(again), 1);
  EXPECT_THAT(err_, AllOf(HasSubstr("weights.safetensors: the file does not exist, and repeated training"),
                          HasSubstr("the training library changed"), HasSubstr("remove ")));
  EXPECT_FALSE(fs::exists(evaluation));
  with_record("/weights_sha256", std::string(64, '0'));
  for (int attempt = 0; attempt < 2; ++attempt) {
    EXPECT_EQ(call(again), 1);
    EXPECT_THAT(err_, HasSubstr("repeated training gave other weights"));
    EXPECT_FALSE(fs::exists(evaluation) || fs::exists(run.weights()));
  }
  with_record("/schema", 1);
  fs::remove_all(run.checkpoints());
  ASSERT_EQ(call(again), 0) << err_;
  EXPECT_THAT(start_of_last_attempt()["notes"].dump(), HasSubstr("the file does not exist; the training is repeated"));
  EXPECT_TRUE(base::read_file(run.weights()) == weights);
  EXPECT_EQ(records("results"), evaluated);
}

TEST_F(ResumeOfRun, WeightsThatWereNotKeptAreNotReportedAsMissing) {
  for (const std::string words : {"train.keep=\"none\"", "train.steps=0 scheduler.use=constant"}) {
    write_experiment();
    ASSERT_EQ(call("run experiments/tiny.toml " + words), 0) << err_;
    const auto run = experiment().run(plan()[0]["train_id"]);
    fs::remove(run.eval_record(plan()[0]["evaluate"][0]["id"]));
    ASSERT_EQ(call("run experiments/tiny.toml " + words), 0) << err_;
    const auto notes = start_of_last_attempt().value("notes", json::array()).dump();
    EXPECT_EQ(notes.find("the file does not exist"), std::string::npos) << notes;
    EXPECT_EQ(notes.find("the run kept no weights; the training is repeated") != std::string::npos,
              words.starts_with("train.keep"))
        << notes;
  }
}

TEST_F(ResumeOfRun, KeepsWhatTheConfigurationSays) {
  const auto keep = [&](const std::string& what) {
    write_experiment("[log]\nevery = 1\n");
    EXPECT_EQ(call("run experiments/tiny.toml train.keep=\"" + what + "\"", what), 0) << err_;
    const auto run = experiment(what).run(plan(what)[0]["train_id"]);
    EXPECT_EQ(read_json(run.train_record()).contains("weights_sha256"), what != "none");
    return std::pair{fs::exists(run.weights()), fs::exists(run.checkpoints())};
  };
  EXPECT_EQ(keep("weights"), (std::pair{true, false}));
  EXPECT_EQ(keep("none"), (std::pair{false, false}));
  EXPECT_EQ(keep("all"), (std::pair{true, true}));
}

// The disk is full in the middle of a run: the run fails with the cause, and resumes from its state when there is
// space.
TEST_F(ResumeOfRun, AFullDiskLosesNothing) {
  write_case({}, 100);
  // dash counts in blocks of 512 bytes and bash in blocks of 1,024: with 100 blocks the events and the log fit, the
  // weights do not.
  ASSERT_EQ(call("run experiments/case.toml model.width=64", "results", "ulimit -f 100; "), 1);
  EXPECT_THAT(err_, AllOf(HasSubstr("FAILED"), HasSubstr(".safetensors: cannot write: File too large")));
  const auto run = experiment().run(plan()[0]["train_id"]);
  EXPECT_EQ(read_json(run.state())["class"], "user");
  EXPECT_EQ(call("run experiments/case.toml model.width=64"), 0) << err_;
  ASSERT_EQ(call("run experiments/case.toml model.width=64", "never_killed"), 0) << err_;
  expect_equal(exact("results"), exact("never_killed"));
}

}  // namespace
}  // namespace assay
