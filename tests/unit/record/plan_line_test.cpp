// A plan line as a type: its JSON round-trips byte for byte, and every error in one is named.
#include "record/plan_line/plan_line.h"

#include <gmock/gmock.h>

#include "assay/error.h"
#include "unit/plan_line.h"

namespace assay::record {
namespace {

using nlohmann::json;
using testing::plan_line_json;

// A line with every key that a plan may have.
json whole() {
  return json::parse(R"({
    "axes": {"init.from": "alibi", "optimizer.lr": 0.003},
    "budget": {"kind": "flops", "target": 7.7e6},
    "checkpoint": {"every": 5, "keep": "all"},
    "data_id": "d1",
    "evaluate": [{"config": {"lengths": [16, 64], "use": "lm"}, "every": 20, "id": "e1", "label": "lm", "split": "test"}],
    "exchanges": [{"dtype": "fp32", "label": "hf", "use": "hf"}],
    "experiment": "quick", "group": "g1", "label": "optimizer.lr=0.003", "log_every": 3,
    "plugins": {
      "model/gpt": {"build_id": "b1", "file": "/p/gpt.so", "plugin": "gpt", "roles": ["train", "evaluate"],
        "sha256": "s1", "shadows": [{"file": "/q/gpt.so", "plugin": "mine", "sha256": "s2", "version": "2"}], "version": "1"},
      "tracker/jsonl": {"file": "/p/jsonl.so", "plugin": "jsonl", "sha256": "s3", "version": "1"}},
    "resources": {"check_replicas_every": 7, "device": "cuda:1",
      "mesh": {"backend": "mpi", "check_calls": true, "data": 2, "mpirun": ["--hostfile", "hosts"],
               "sequence_parallel": true, "tensor": 4},
      "micro_batch": 2, "threads": 3},
    "schema": 1, "seed": 9007199254740993,
    "source": {"file": "experiments/quick.toml", "git_commit": "c0ffee", "git_dirty": "", "sha256": "s4"},
    "trackers": [{"label": "log", "path": "x", "use": "jsonl"}],
    "train": {
      "callbacks": [{"label": "watch", "use": "watch"}],
      "data": {"context": 64, "dataset": {"path": {"name": "a", "path": "/a", "sha256": "s5"}, "use": "text"},
               "tokenizer": {"use": "bytes"}},
      "init": {"from": {"experiment": "first", "group": "g0", "path": "/r/t0", "train_id": "t0"},
               "ignore": ["head"], "load": "all"},
      "model": {"layers": 2, "positional": null, "use": "gpt"},
      "objectives": [{"label": "mle", "smoothing": 0.0, "use": "mle", "weight": 0.5}],
      "optimizer": {"lr": 1e-05, "use": "adamw"},
      "scheduler": {"use": "constant", "warmup": "5%"},
      "seeds": {"data": 4, "init": 3},
      "train": {"batch": 8, "clip_norm": 1.0, "non_finite": "skip", "precision": "fp64", "skip_loss_z": 4.0,
                "skip_norm_z": 5.5, "steps": 40},
      "transforms": [{"label": "fim", "rate": 0.5, "use": "fim", "weight": 2.0}]},
    "train_id": "t1"})");
}

std::string error_of(const json& line) {
  try {
    PlanLine::from_json(line);
    return "accepted";
  } catch (const UserError& error) {
    return error.what();
  }
}

// Returns the error for a complete line in which the value at a JSON pointer is replaced, or removed where `value` is
// "gone".
std::string error_at(const std::string& pointer, const json& value) {
  auto line = whole();
  const json::json_pointer place(pointer);
  if (value == "gone")
    line[place.parent_pointer()].erase(place.back());
  else
    line[place] = value;
  return error_of(line);
}

TEST(PlanLine, RoundTripsByteForByte) {
  EXPECT_EQ(PlanLine::from_json(whole()).text(), whole().dump());
  auto weights = whole();
  weights["train"]["init"] = {{"weights", {{"name", "w"}, {"path", "/w"}, {"sha256", "s"}}}, {"load", "weights"}};
  weights["budget"] = {{"kind", "tokens"}, {"target", 1'000'000'000'000'000}};
  EXPECT_EQ(PlanLine::from_json(weights).text(), weights.dump());
  // Keys that are present only when they have a value.
  const auto least = PlanLine::from_json(plan_line_json());
  EXPECT_EQ(PlanLine::from_json(least.to_json()).text(), least.text());
  for (const char* key : {"exchanges", "callbacks", "load", "skip_loss_z", "check_replicas_every", "mpirun", "shadows"})
    EXPECT_EQ(least.text().find(key), std::string::npos) << key;
}

TEST(PlanLine, HasItsValuesAsMembers) {
  const auto line = PlanLine::from_json(whole());
  EXPECT_EQ(line.seed, 9007199254740993);
  EXPECT_EQ(line.steps(), 40);
  EXPECT_EQ(line.tokens_per_step(), 8 * 64);
  EXPECT_EQ(line.tokens(), 40 * 8 * 64);
  EXPECT_EQ(line.resources.mesh.ranks(), 8);
  EXPECT_EQ(line.resources.cores(), 24);
  EXPECT_EQ(line.train.objectives.at(0).weight, 0.5);
  EXPECT_EQ(line.train.objectives.at(0).config, (json{{"use", "mle"}, {"smoothing", 0.0}}));
  EXPECT_EQ(line.train.transforms.at(0).label, "fim");
  EXPECT_EQ(line.train.transforms.at(0).config.at("weight"), 2.0);  // the component's own
  EXPECT_EQ(line.train.section("train").at("steps"), 40);
  EXPECT_TRUE(line.train.section("nothing").is_null());
  EXPECT_TRUE(line.plugins.at("tracker/jsonl").roles.empty());
  EXPECT_FALSE(line.plugins.at("tracker/jsonl").build_id);
}

// The line is from before sequence-parallel meshes, other budgets, and roles.
TEST(PlanLine, OfAnOlderPlanHasTodaysDefaults) {
  auto older = whole();
  older.erase("budget");
  older["resources"]["mesh"] = {{"tensor", 2}, {"data", 1}};
  const auto line = PlanLine::from_json(older);
  EXPECT_EQ(line.budget.to_json(), (json{{"kind", "steps"}, {"target", 40}}));
  EXPECT_EQ(line.resources.mesh.backend, "threads");
  EXPECT_FALSE(line.resources.mesh.sequence_parallel);
  older["resources"]["mesh"]["tensor"] = 1;
  EXPECT_EQ(PlanLine::from_json(older).resources.mesh.backend, "self");
}

TEST(PlanLine, NamesTheKeyThatIsMissing) {
  EXPECT_EQ(error_at("/train/train/steps", "gone"), "train.train.steps is missing; it must be an integer");
  EXPECT_EQ(error_at("/train/model", "gone"), "train.model is missing; it must be a component (an object or its name)");
  EXPECT_EQ(error_at("/train", "gone"), "train is missing; it must be an object");
  EXPECT_EQ(error_at("/evaluate", "gone"), "evaluate is missing; it must be a list");
  EXPECT_EQ(error_at("/evaluate/0/id", "gone"), "evaluate[0].id is missing; it must be a string");
  EXPECT_EQ(error_at("/train/objectives/0/weight", "gone"),
            "train.objectives[0].weight is missing; it must be a number");
  EXPECT_EQ(error_at("/plugins/model~1gpt/file", "gone"), "plugins.model/gpt.file is missing; it must be a string");
  for (const char* key : {"schema", "experiment", "label", "axes", "seed", "data_id", "trackers", "resources",
                          "log_every", "checkpoint", "plugins", "source"})
    EXPECT_THAT(error_at("/" + std::string(key), "gone"), ::testing::StartsWith(key + std::string(" is missing;")));
}

TEST(PlanLine, QuotesTheValueOfAnotherType) {
  EXPECT_EQ(error_at("/train/data/context", "many"), "train.data.context must be an integer, but is \"many\"");
  EXPECT_EQ(error_at("/train/data/context", 64.5), "train.data.context must be an integer, but is 64.5");
  EXPECT_EQ(error_at("/resources/threads", 1LL << 40), "resources.threads must be an integer, but is 1099511627776");
  EXPECT_EQ(error_at("/seed", 18446744073709551615ULL), "seed must be an integer, but is 18446744073709551615");
  EXPECT_EQ(error_at("/train/train/clip_norm", nullptr), "train.train.clip_norm must be a number, but is null");
  EXPECT_EQ(error_at("/train/train/skip_loss_z", "high"), "train.train.skip_loss_z must be a number, but is \"high\"");
  EXPECT_EQ(error_at("/label", 3), "label must be a string, but is 3");
  EXPECT_EQ(error_at("/resources/mesh/sequence_parallel", 1),
            "resources.mesh.sequence_parallel must be true or false, but is 1");
  EXPECT_EQ(error_at("/resources/mesh/mpirun", json{1}), "resources.mesh.mpirun must be a list of strings, but is [1]");
  EXPECT_EQ(error_at("/resources/mesh", json::array()), "resources.mesh must be an object, but is []");
  EXPECT_EQ(error_at("/trackers", json::object()), "trackers must be a list, but is {}");
  EXPECT_EQ(error_at("/trackers/0", "jsonl"), "trackers[0] must be an object, but is \"jsonl\"");
  EXPECT_EQ(error_at("/train/optimizer", 1), "train.optimizer must be a component (an object or its name), but is 1");
  EXPECT_EQ(error_at("/axes", std::string(60, 'x')), "axes must be an object, but is \"" + std::string(39, 'x') + "..");
}

// A key of another version may affect the weights, so it is not ignored.
TEST(PlanLine, RefusesAKeyThatItDoesNotKnow) {
  EXPECT_EQ(error_at("/train/train/clip_nrom", 1),
            "train.train.clip_nrom is not a key of a plan; did you mean 'clip_norm'?");
  EXPECT_EQ(error_at("/checkpoint/x", 1), "checkpoint.x is not a key of a plan; the keys here are every, keep");
  for (const char* place :
       {"/x", "/train/x", "/train/data/x", "/train/init/x", "/train/seeds/x", "/evaluate/0/x", "/resources/x",
        "/resources/mesh/x", "/budget/x", "/plugins/model~1gpt/x", "/plugins/model~1gpt/shadows/0/x", "/source/x"})
    EXPECT_THAT(error_at(place, 1), ::testing::HasSubstr("x is not a key of a plan")) << place;
  // The keys of a component's configuration are not checked here.
  for (const char* place : {"/train/model/x", "/train/objectives/0/x", "/trackers/0/x", "/evaluate/0/config/x"})
    EXPECT_EQ(error_at(place, 1), "accepted") << place;
}

TEST(PlanLine, OfAnotherSchemaOrNoneIsRefused) {
  EXPECT_EQ(error_at("/schema", 2), "the plan has schema 2, but this version of assay reads schema 1");
  for (const json& other : {json(), json(3), json::array(), json::object(), json{{"train_id", 1}, {"group", "g"}}})
    EXPECT_EQ(error_of(other), "the line is not a valid plan line, a JSON object with train_id and group") << other;
}

TEST(PlanLine, ConfigurationsAreVisitedInTheOrderOfTheirKeys) {
  auto line = PlanLine::from_json(whole());
  std::vector<std::string> uses;
  for_each_config(line.train, [&](json& config) {
    if (!config.is_null()) uses.push_back(config.value("use", config.value("experiment", "")));
    if (config.is_object()) config["seen"] = true;
  });
  EXPECT_THAT(uses,
              ::testing::ElementsAre("watch", "text", "bytes", "first", "gpt", "mle", "adamw", "constant", "fim"));
  EXPECT_EQ(line.train.model.at("seen"), true);
}

TEST(PlanLine, InputsBelongToTheirPart) {
  auto line = PlanLine::from_json(whole());
  ASSERT_EQ(inputs_in(line.train).size(), 1u);
  EXPECT_EQ(inputs_in(line.train)[0].at("train_id"), "t0");
  EXPECT_TRUE(inputs_in(line.evaluate).empty());
  line.evaluate[0].config["judge"] = inputs_in(line.train)[0];
  EXPECT_EQ(inputs_in(line.evaluate).size(), 1u);
}

}  // namespace
}  // namespace assay::record
