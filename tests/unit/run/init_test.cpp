// Initialisation from other runs: tensors without a place in the run, incompatible optimizer states, and weights of
// another vocabulary.
#include "run/init.h"

#include <ATen/ops/ones.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include "base/files.h"
#include "base/sha256.h"
#include "record/layout.h"
#include "run/checkpoint/checkpoint.h"
#include "run/checkpoint/sharded.h"
#include "run/step.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::ThrowsMessage;

// Trains a run for three steps and writes the files of a finished one: weights, a checkpoint and a record.
struct Finished {
  explicit Finished(TinyRun& tiny, int64_t steps = 3) : folder(tiny.folder / "from") {
    const record::RunLayout layout(folder);
    tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
      for (int64_t step = 0; step < steps; ++step) {
        run::Metrics metrics;
        run::accumulate_gradients(run, mesh, step, {data.rows(step * 6, step * 6 + 6, 0)}, metrics);
        run.optimizer->step(1e-2, 1.0);
        run::clear_gradients(run.parameters->all());
      }
      const run::Checkpoints checkpoints(layout.checkpoints(), "from", "code");
      checkpoints.save(run, mesh, {steps, 0, 0});
      checkpoints.keep_weights(layout.weights());
    });
    base::write_atomically(layout.train_record(), json{{"config", tiny.line["train"]}}.dump());
  }
  json init(const char* load = "weights") const { return {{"from", {{"path", folder.string()}}}, {"load", load}}; }
  std::filesystem::path folder;
};

// Returns the error of start_from_init, or "" and the run's new state.
struct Started {
  Started(TinyRun& tiny, const json& init) {
    tiny.line["train"]["init"] = init;
    tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
      try {
        run::start_from_init(tiny.planned().train, run, mesh);
      } catch (const UserError& error) {
        wrong = error.what();
      }
      for (const auto& state : run::optimizer_state_of(run)) optimizer[state.name] = state.local.clone();
    });
    // Planning finds the same.
    const auto mesh = mesh::shape_mesh(1, 1);
    run::Assembled run(registry(), tiny.planned());
    run.compute.device = at::kMeta;
    run.build(*mesh, /*draw=*/false);
    for (const auto& [key, message] : run::init_findings(tiny.planned().train, run)) {
      planned = message;
      at = key;
    }
  }
  std::string wrong, planned, at;
  std::map<std::string, Tensor> optimizer;
};

TEST(Init, TensorsWithoutAPlaceAreRefusedByName) {
  TinyRun tiny;
  tiny.model()["tied_head"] = false;
  const Finished from(tiny);
  tiny.model()["tied_head"] = true;
  for (const auto& started : {Started(tiny, from.init()),
                              Started(tiny, json{{"weights", {{"path", from.folder / "weights.safetensors"}}}})}) {
    EXPECT_THAT(started.wrong, AllOf(HasSubstr("weights.safetensors: the file has tensors that this run does not use: "
                                               "'model.head.weight'; add the components"),
                                     HasSubstr("or list them in [init] ignore")));
    EXPECT_EQ(started.planned, started.wrong);
    EXPECT_THAT(started.at, ::testing::AnyOf("init.from", "init.weights"));
  }
  auto init = from.init("all");
  for (const char* name : {"model.head.weight", "model.head"}) {  // and its optimizer state
    init["ignore"] = {name};
    const Started started(tiny, init);
    EXPECT_EQ(started.wrong, "");
    EXPECT_EQ(started.planned, "");
    EXPECT_EQ(started.optimizer.at("optimizer/step").item<double>(), 3);
  }
  // A name must match completely or up to a dot; and it must name a tensor that is left over.
  for (const char* name : {"model.hea", "model.head.weights", "model.embedding.weight"}) {
    init["ignore"] = {"model.head", name};
    const Started started(tiny, init);
    EXPECT_THAT(started.wrong, AllOf(HasSubstr("[init] ignore: '" + std::string(name) + "' is not an unused tensor of"),
                                     HasSubstr("the unused tensors are 'model.head.weight'")));
    EXPECT_EQ(started.planned, started.wrong);
  }
  tiny.model()["tied_head"] = false;
  EXPECT_THAT(Started(tiny, init).wrong, HasSubstr("there are none, so remove it"));
}

// The optimizer's file may have tensors that belong to no weight; the plan reports them, and they can be ignored.
TEST(Init, ATensorThatOnlyTheOptimizersFileHasIsFoundAndCanBeIgnored) {
  TinyRun tiny;
  const Finished from(tiny);
  const auto step = record::RunLayout(from.folder).checkpoints() / "step-3";
  const auto file = step / "optimizer.safetensors";
  std::vector<run::NamedTensor> tensors;
  {
    const run::SafetensorsFile whole(file);
    for (const auto& name : whole.names()) tensors.push_back({name, whole.read(name)});
  }
  tensors.push_back({"optimizer/extra", at::ones({1})});
  run::write_safetensors(file, tensors, {});
  auto manifest = json::parse(base::read_file(step / "manifest.json"));
  manifest["files"]["optimizer.safetensors"]["sha256"] = base::sha256_of_file(file);
  base::write_atomically(step / "manifest.json", manifest.dump());
  auto init = from.init("all");
  const Started refused(tiny, init);
  EXPECT_THAT(refused.wrong, HasSubstr("optimizer.safetensors: the file has tensors that this run does not use: "
                                       "'optimizer/extra'; add the components"));
  EXPECT_EQ(refused.planned, refused.wrong);
  EXPECT_EQ(refused.at, "init.load");
  init["ignore"] = {"optimizer/extra"};
  const Started ignored(tiny, init);
  EXPECT_EQ(ignored.wrong, "");
  EXPECT_EQ(ignored.planned, "");
  EXPECT_EQ(ignored.optimizer.at("optimizer/step").item<double>(), 3);
  init["ignore"] = {"optimizer/extra", "optimizer/other"};
  const Started unknown(tiny, init);
  EXPECT_THAT(unknown.wrong, AllOf(HasSubstr("[init] ignore: 'optimizer/other' is not an unused tensor of"),
                                   HasSubstr(" or of its run's optimizer state; the unused tensors are "
                                             "'optimizer/extra'")));
  EXPECT_EQ(unknown.planned, unknown.wrong);
  init = from.init();  // without the optimizer's file
  init["ignore"] = {"optimizer/extra"};
  EXPECT_THAT(Started(tiny, init).wrong, HasSubstr("there are none, so remove it"));
}

// Learned positions have no place under ALiBi; a long list of names is truncated.
TEST(Init, TensorsOfAnotherSchemeAndOfFurtherLayers) {
  TinyRun tiny;
  tiny.model()["positional"] = {{"use", "learned"}, {"positions", 16}};
  const Finished from(tiny);
  tiny.model()["positional"] = {{"use", "alibi"}};
  EXPECT_THAT(Started(tiny, from.init()).wrong, HasSubstr("'model.positional.weight'"));
  tiny.model()["layers"] = 1;
  EXPECT_THAT(Started(tiny, from.init()).wrong, AllOf(HasSubstr("'model.layers.1."), HasSubstr(" more; add")));
}

TEST(Init, AnotherOptimizersStateIsRefused) {
  TinyRun tiny;
  const Finished from(tiny);
  auto& optimizer = tiny.line["train"]["optimizer"];
  EXPECT_EQ(Started(tiny, from.init("all")).optimizer.at("optimizer/step").item<double>(), 3);
  optimizer = {{"use", "adam_weight_decay"}};  // it has the same moments, but does not count updates
  const Started other(tiny, from.init("all"));
  EXPECT_THAT(other.wrong, HasSubstr("optimizer.safetensors: the file has optimizer state of format 'adamw', but this "
                                     "run's optimizer 'adam_weight_decay' reads format 'adam_weight_decay'; use the "
                                     "optimizer that wrote it, or set load = \"weights\""));
  EXPECT_EQ(other.planned, other.wrong);
  EXPECT_EQ(other.at, "init.load");
  EXPECT_EQ(Started(tiny, from.init()).wrong, "");
  // With bias correction it equals AdamW except for the parameters that decay; its state says so.
  optimizer = {{"use", "adam_weight_decay"}, {"bias_correction", true}};
  const Started same(tiny, from.init("all"));
  EXPECT_EQ(same.wrong, "");
  EXPECT_EQ(same.optimizer.at("optimizer/step").item<double>(), 3);
  EXPECT_GT(same.optimizer.at("model.layers.0.up.weight/exp_avg").abs().max().item<double>(), 0);
  for (const json& another : {json{{"use", "sgd"}, {"momentum", 0.0}}, json{{"use", "adafactor"}}}) {
    optimizer = another;
    EXPECT_THAT(Started(tiny, from.init("all")).wrong, HasSubstr("the file has optimizer state of format 'adamw'"));
  }
}

// An option that changes the meaning of the state; and old checkpoints that do not record it.
TEST(Init, TheSameOptimizerWithADifferentStateIsRefused) {
  TinyRun tiny;
  tiny.line["train"]["optimizer"] = {{"use", "adam_weight_decay"}, {"bias_correction", true}};
  const Finished from(tiny);
  tiny.line["train"]["optimizer"]["bias_correction"] = false;
  EXPECT_THAT(Started(tiny, from.init("all")).wrong, HasSubstr("reads format 'adam_weight_decay'"));
  TinyRun older;
  const Finished before(older);
  const auto file = record::RunLayout(before.folder).checkpoints() / "step-3/manifest.json";
  auto manifest = json::parse(base::read_file(file));
  EXPECT_EQ(manifest.at("optimizer_state"), "adamw");
  manifest.erase("optimizer_state");
  base::write_atomically(file, manifest.dump());
  EXPECT_EQ(Started(older, before.init("all")).wrong, "");
  older.line["train"]["optimizer"] = {{"use", "sgd"}};
  EXPECT_THAT(Started(older, before.init("all")).wrong, HasSubstr("of format 'adamw', but this run's optimizer 'sgd'"));
}

// Imported weights record only the size of their vocabulary.
TEST(Init, AFileWithTheSizeOfItsVocabularyMustMatch) {
  TinyRun tiny;
  const Finished from(tiny);
  const run::SafetensorsFile whole(from.folder / "weights.safetensors");
  std::vector<run::NamedTensor> tensors;
  for (const auto& name : whole.names()) tensors.push_back({name, whole.read(name)});
  const auto started = [&](const std::map<std::string, std::string>& metadata) {
    run::write_safetensors(tiny.folder / "w.safetensors", tensors, metadata);
    return Started(tiny, json{{"weights", {{"path", tiny.folder / "w.safetensors"}}}});
  };
  EXPECT_EQ(started({}).wrong, "");
  EXPECT_EQ(started({{"vocabulary", R"({"size":257})"}}).wrong, "");
  const auto other = started({{"vocabulary", R"({"size":260})"}});  // the same 264 rows, with padding
  EXPECT_THAT(
      other.wrong,
      HasSubstr(R"(w.safetensors: the weights were trained with the vocabulary {"size":260}, but this run has {)"));
  EXPECT_EQ(other.planned, other.wrong);
}

// Weights of a run without added tokens start a run with them: its known rows are the file's, and an added token starts
// as the mean of its words in the file, on every mesh. A run whose other tokens differ cannot start so.
TEST(Init, AVocabularyMayGrow) {
  TinyRun tiny;
  tiny.model()["tied_head"] = false;
  const Finished from(tiny);
  const run::SafetensorsFile file(from.folder / "weights.safetensors");
  const auto table = file.read("model.embedding.weight"), head = file.read("model.head.weight");
  ASSERT_EQ(table.size(0), 264);
  auto views = tiny.line;
  views["train"]["data"]["dataset"] = {{"use", "norms_planted"}, {"train", 8}, {"held_out", 1}, {"rots", 1}};
  views["train"]["data"]["context"] = 192;
  views["train"]["transforms"] = {{{"use", "norm_views"}, {"label", "norm_views"}}};
  TinyRun grown;
  for (const int ranks : {1, 2, 4}) {
    grown.line = views;
    grown.line["train"]["init"] = from.init("weights");
    grown.mesh(ranks, 1);
    grown.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
      run::start_from_init(grown.planned().train, run, mesh);
      const c10::NoGradGuard no_grad;
      for (const auto& parameter : run.parameters->all()) {
        const auto whole = reassembled(parameter, parameter.value.detach(), mesh);
        if (parameter.spec.name == "model.embedding.weight") {
          EXPECT_TRUE(whole.narrow(0, 0, 257).equal(table.narrow(0, 0, 257)));
          const auto mean = (table[' '] + table['b'] + table['a'] + table['d']) / 4;
          EXPECT_LE((whole[run.vocabulary->special("<bad>")] - mean).abs().max().item<double>(), 1e-15);
          EXPECT_GT(whole[run.vocabulary->special("[rot]")].abs().max().item<double>(), 0);
        } else if (parameter.spec.name == "model.head.weight") {
          EXPECT_TRUE(whole.narrow(0, 0, 257).equal(head.narrow(0, 0, 257)));
        } else {
          EXPECT_TRUE(whole.equal(file.read(parameter.spec.name))) << parameter.spec.name;
        }
      }
    });
  }
  grown.line = views;
  EXPECT_EQ(Started(grown, from.init("weights")).wrong, "");
  EXPECT_THAT(Started(grown, from.init("all")).wrong, HasSubstr("the weights were trained with the vocabulary"));
  TinyRun other;  // whose token 257 is another one
  other.line["train"]["transforms"] = {{{"use", "fim"}, {"label", "fim"}}};
  other.model()["tied_head"] = false;
  const Finished of_fim(other);
  grown.line["train"]["transforms"] = {{{"use", "norm_views"}, {"label", "norm_views"}}};
  EXPECT_THAT(Started(grown, of_fim.init("weights")).wrong, HasSubstr("the weights were trained with the vocabulary"));
}

TEST(Init, MissingInputsAreNotReportedByAPlan) {
  TinyRun tiny;
  const json from = {{"from", {{"path", (tiny.folder / "to come").string()}}}, {"load", "all"}};
  EXPECT_EQ(Started(tiny, from).planned, "");
  EXPECT_THAT(Started(tiny, json{{"weights", {{"path", tiny.folder / "text.txt"}}}}).planned, HasSubstr("text.txt: "));
}

}  // namespace
}  // namespace assay::testing
