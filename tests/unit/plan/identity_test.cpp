// Canonical forms are spelled out; the hashes are those of sha256sum over these very bytes.
#include "plan/identity.h"

#include <nlohmann/json.hpp>

#include "unit/plan/fixture.h"

namespace assay::testing {
namespace {

using Identity = PlanTest;

const std::string kTrainWithoutSeeds =
    R"({"data":{"context":16,"dataset":{"document":"file","path":"181e981fc9526dc6f8ca054775974e6ff9b441403a67bad22515d3c04ad7e9be","use":"text"},"tokenizer":{"use":"bytes"}},)"
    R"("model":{"bias":true,"dropout":0.0,"embedding_norm":false,"ffn":0,"gelu":"tanh","heads":4,"init_std":0.02,"layers":2,"positional":{"max_exponent":8.0,"use":"alibi"},"tied_head":true,"use":"gpt","vocab_multiple":64,"width":32},)"
    R"("objectives":[{"use":"mle","weight":1.0}],"optimizer":{"betas":[0.9,0.95],"eps":1e-08,"lr":0.001,"use":"adamw","weight_decay":0.1},"scheduler":{"use":"constant","warmup":"0 steps"},)"
    R"("train":{"batch":8,"clip_norm":1.0,"non_finite":"stop","precision":"fp32","steps":7},"transforms":[]})";

// The text above with ,"seeds":{"data":2,"init":2} between scheduler and train.
const char* const kGroup = "1f4dbccae9bdbc238e4a578aba6890bea882d1ed3292326f6e5851f0f4e15cfa";
const char* const kTrainSeed2 = "ebac794e6bb6886465c7a95904e3ea41ada9ef204e1155d4ca284b240983cc34";
const char* const kData2 = "61dbb695a33beec6120cd9a79885eb0e8c009b5fe55d5af4b2f85e7734c3ba86";
const char* const kEvalSeed2 = "133bf114e3a6e5b7b7bd2d7d0b89c54a91b274304b489746f9443a9380356fb4";

const std::string kExperiment = kSmall + R"(
[experiment]
seeds = [1, 2]
[[evaluate]]
use = "lm"
label = "long"
lengths = [16, 32]
split = "test"
)";

TEST_F(Identity, CanonicalFormHasDefaultsAndContentHashesAndNoLabels) {
  auto train = plan(kExperiment).lines.at(1).train.to_json();
  EXPECT_EQ(train.at("objectives").at(0).at("label"), "mle");
  EXPECT_EQ(train.at("data").at("dataset").at("path").at("name"), "tiny");
  train.erase("seeds");
  EXPECT_EQ(plan::canonical_json(train), kTrainWithoutSeeds);
}

TEST_F(Identity, HashesOfThatForm) {
  const auto line = plan(kExperiment).lines.at(1);
  EXPECT_EQ(line.seed, 2);
  EXPECT_EQ(line.group, kGroup);
  EXPECT_EQ(line.train_id, kTrainSeed2);
  EXPECT_EQ(line.data_id, kData2);
  EXPECT_EQ(line.evaluate[0].id, kEvalSeed2);
}

// A parameter that a component has got since: runs that do not use it keep their identity.
TEST_F(Identity, AnAddedParameterCountsOnlyWithAnotherValue) {
  const auto with = [&](const std::string& norm) {
    auto text = kExperiment;
    text.replace(text.find("use = \"mle\""), 11, "use = \"mle\"\nnorm = \"" + norm + "\"");
    return plan(text).lines.at(1);
  };
  EXPECT_EQ(with("tokens").train_id, kTrainSeed2);
  EXPECT_EQ(with("tokens").train.to_json(), plan(kExperiment).lines.at(1).train.to_json());
  EXPECT_NE(with("padded").train_id, kTrainSeed2);
  EXPECT_EQ(with("padded").train.to_json().at("objectives").at(0).at("norm"), "padded");
  auto swept = plan(kExperiment + "[sweep.grid]\nobjective.mle.norm = [\"tokens\", \"padded\"]\n");
  ASSERT_EQ(swept.lines.size(), 4u);
  EXPECT_EQ(swept.lines[1].train_id, kTrainSeed2);
  EXPECT_EQ(swept.lines[0].axes.at("objective.mle.norm"), "tokens");
}

TEST_F(Identity, ValuesThatDoNotAffectTheWeightsAreInNoId) {
  const auto line = plan(kExperiment + R"(
[resources]
threads = 2
mesh = { tensor = 4 }
[log]
every = 3
[compare]
metrics = ["long.bits_per_byte"]
[[transform]]
use = "fim"
enabled = false
)",
                         {"objective.mle.weight=1"})
                        .lines.at(1);
  EXPECT_EQ(line.train_id, kTrainSeed2);
  EXPECT_EQ(line.evaluate[0].id, kEvalSeed2);
  EXPECT_EQ(line.log_every, 3);
}

TEST_F(Identity, EveryValueThatAffectsTheWeightsChangesTheId) {
  for (const char* change :
       {"model.layers=3", "positional=none", "optimizer.lr=2e-3", "train.steps=8", "data.context=17",
        "train.clip_norm=0", "objective.mle.weight=0.5", "scheduler.warmup=1 steps"})
    EXPECT_NE(plan(kExperiment, {change}).lines.at(1).train_id, kTrainSeed2) << change;
}

// Zero has one sign, whatever its origin.
TEST_F(Identity, PositiveAndNegativeZeroAreOneValue) {
  const auto one = [&](const std::string& set) { return plan(kSmall, {set}).lines.at(0); };
  const auto zero = one("optimizer.lr=0.0");
  for (const char* set : {"optimizer.lr=-0.0", "optimizer.lr=0", "optimizer.lr=\"= -1.0 * 0\""}) {
    EXPECT_EQ(one(set).train_id, zero.train_id) << set;
    EXPECT_EQ(one(set).train.to_json().dump(), zero.train.to_json().dump()) << set;
  }
  EXPECT_EQ(one("optimizer.betas=[-0.0, 0.9]").train_id, one("optimizer.betas=[0, 0.9]").train_id);
  const auto swept = plan(kSmall + "[[sweep]]\n[sweep.grid]\noptimizer.lr = [-0.0, 1e-3]\n");
  EXPECT_EQ(swept.lines.at(0).label, "optimizer.lr=0");
  EXPECT_EQ(swept.lines.at(0).train_id, zero.train_id);
}

TEST_F(Identity, LabelsOfEntriesDoNotCount) {
  const auto line = plan(kExperiment, {"evaluate.long.label=other"}).lines.at(1);
  EXPECT_EQ(line.evaluate[0].label, "other");
  EXPECT_EQ(line.evaluate[0].id, kEvalSeed2);
}

TEST_F(Identity, SeedsMayVaryOneByOne) {
  const auto lines = plan(kSmall, {"experiment.seeds={ init = 1, data = \"4..5\" }"}).lines;
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1].seed, 5);
  EXPECT_EQ(lines[1].train.section("seeds"), (nlohmann::json{{"init", 1}, {"data", 5}}));
  EXPECT_EQ(lines[0].group, lines[1].group);
  EXPECT_NE(lines[0].data_id, lines[1].data_id);
}

TEST_F(Identity, TheContentOfAFileCountsAndNotItsName) {
  write("experiments/a.txt", "same");
  write("experiments/b.txt", "same");
  write("experiments/c.txt", "else");
  const auto id = [&](const std::string& name) {
    auto text = kSmall;
    text.replace(text.find("\"tiny\""), 6, "\"" + name + "\"");
    return plan(text).lines.at(0).train_id;
  };
  EXPECT_EQ(id("a.txt"), id("b.txt"));
  EXPECT_NE(id("a.txt"), id("c.txt"));
}

}  // namespace
}  // namespace assay::testing
