// Checkpoints on several meshes: a checkpoint of two ranks loads bit for bit on four and on one; corrupt and foreign
// ones are not loaded.
#include "run/checkpoint/checkpoint.h"

#include <gmock/gmock.h>

#include <cmath>

#include "base/files.h"
#include "base/sha256.h"
#include "run/checkpoint/safetensors.h"
#include "run/step.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

void train(run::Assembled& run, data::TrainingData& data, const Mesh& mesh, int64_t steps) {
  for (int64_t step = 0; step < steps; ++step) {
    run::Metrics metrics;
    run::accumulate_gradients(run, mesh, step, {data.rows(step * 6, step * 6 + 6, 0)}, metrics);
    run.optimizer->step(1e-2, 1.0);
    run::clear_gradients(run.parameters->all());
  }
}

TEST(Checkpoint, IsTheSameBitsOnEveryMesh) {
  TinyRun tiny;
  tiny.line["train"]["train"]["precision"] = "fp32";
  const auto folder = [&](const char* name) { return run::Checkpoints(tiny.folder / name, "t", "code"); };
  tiny.mesh(2, 1);
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
    train(run, data, mesh, 3);
    run::LateMeans late;
    late.add("loss", 0.1, false);
    late.add("loss", 0.2, false);
    late.add("mle.nll", std::nan(""), false);
    late.add("mle.skipped", std::nan(""), true);
    folder("two").save(
        run, mesh,
        {3, 2.5, 7.5, {1, 2, 3, 4, 5}, 1, json::parse(R"([{"from":0,"threads":2}])"), {{0.1, 0.7}, {1e-300}}, late});
  });
  const auto passed_on = [&](int ranks, const char* from, const char* to) {
    tiny.mesh(ranks, 1);
    tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
      const auto [progress, notes] = folder(from).resume(run, mesh);
      EXPECT_EQ(progress.step, 3);
      const auto& late = progress.late.sums();
      EXPECT_EQ(late.size(), 3u);
      EXPECT_EQ(late.at("loss").sum, 0.1 + 0.2);
      EXPECT_EQ(late.at("loss").count, 2);
      EXPECT_TRUE(std::isnan(late.at("mle.nll").sum));
      EXPECT_EQ(late.at("mle.nll").count, 1);
      EXPECT_EQ(late.at("mle.skipped").count, 0);
      EXPECT_EQ(progress.train_seconds, 2.5);
      EXPECT_EQ(progress.seconds, 7.5);
      EXPECT_EQ(progress.phases.evaluation, 5);
      EXPECT_EQ(progress.skipped, 1);
      EXPECT_EQ(progress.recent.losses, (std::vector<double>{0.1, 0.7}));
      EXPECT_EQ(progress.recent.norms, std::vector<double>{1e-300});
      EXPECT_EQ(progress.training_segments, json::parse(R"([{"from":0,"threads":2}])"));
      EXPECT_TRUE(notes.empty());
      folder(to).save(run, mesh, progress);
    });
    for (const char* file : {"weights.safetensors", "optimizer.safetensors"})
      EXPECT_EQ(base::read_file(tiny.folder / to / "step-3" / file), base::read_file(tiny.folder / "two/step-3" / file))
          << to;
  };
  passed_on(4, "two", "four");
  passed_on(1, "four", "one");
}

// The loaded state is complete: one more step from it gives the same weights as one more step of the original run.
TEST(Checkpoint, ContainsTheWholeState) {
  TinyRun tiny;
  std::map<std::string, Tensor> went_on;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
    train(run, data, mesh, 3);
    run::Checkpoints(tiny.folder / "c", "t", "code").save(run, mesh, {3, 0, 0});
    train(run, data, mesh, 1);
    for (const auto& [spec, value] : run.parameters->all()) went_on[spec.name] = value.detach().clone();
  });
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
    run::Checkpoints(tiny.folder / "c", "t", "code").resume(run, mesh);
    train(run, data, mesh, 1);
    for (const auto& [spec, value] : run.parameters->all())
      EXPECT_TRUE(value.equal(went_on.at(spec.name))) << spec.name;
  });
}

TEST(Checkpoint, TheLastTwoAreKept) {
  TinyRun tiny;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    for (const int64_t step : {5, 10, 100, 20})
      run::Checkpoints(tiny.folder / "c", "t", "code").save(run, mesh, {step, 0, 0});
  });
  EXPECT_THAT(names_in(tiny.folder / "c"), UnorderedElementsAre("step-10", "step-20"));
}

// Even with many unusable checkpoints of later steps, the run's last checkpoint is kept when it is killed a second
// time.
TEST(Checkpoint, ForeignOnesOfLaterStepsDoNotCount) {
  TinyRun tiny;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    fs::create_directories(tiny.folder / "c/.part");
    tiny.folder.write("c/.part/optimizer.safetensors", "killed while it was written");
    for (const int64_t step : {100, 110}) run::Checkpoints(tiny.folder / "c", "t", "old").save(run, mesh, {step, 0, 0});
    const run::Checkpoints ours(tiny.folder / "c", "t", "code");
    EXPECT_EQ(ours.resume(run, mesh).progress.step, 0);
    for (const int64_t step : {5, 10}) {
      ours.save(run, mesh, {step, 0, 0});
      EXPECT_EQ(ours.resume(run, mesh).progress.step, step);
    }
  });
  EXPECT_THAT(names_in(tiny.folder / "c"), UnorderedElementsAre("step-5", "step-10"));
}

TEST(Checkpoint, CorruptAndForeignOnesAreSkipped) {
  TinyRun tiny;
  const auto resumed = [&](const std::string& id, const std::string& code) {
    run::Checkpoints::Resumed out;
    tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
      out = run::Checkpoints(tiny.folder / "c", id, code).resume(run, mesh);
    });
    return out;
  };
  EXPECT_EQ(resumed("t", "code").progress.step, 0);  // there is none
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    for (const int64_t step : {5, 10}) run::Checkpoints(tiny.folder / "c", "t", "code").save(run, mesh, {step, 0, 0});
  });
  fs::create_directories(tiny.folder / "c/.part");  // the process was killed while it wrote it
  EXPECT_EQ(resumed("t", "code").progress.step, 10);
  EXPECT_THAT(resumed("other", "code").notes,
              ElementsAre(AllOf(HasSubstr("step-10"), HasSubstr("belongs to another run")), HasSubstr("step-5")));
  EXPECT_THAT(resumed("t", "new").notes[0], HasSubstr("made by other code"));
  EXPECT_EQ(resumed("t", "new").progress.step, 0);
  for (const char* file : {"manifest.json", "optimizer.safetensors", "weights.safetensors"}) {
    const auto path = tiny.folder / "c/step-10" / file;
    const auto whole = base::read_file(path);
    for (const auto& damaged : {whole.substr(0, whole.size() / 2), std::string()}) {
      base::write_atomically(path, damaged);
      const auto other = resumed("t", "code");
      EXPECT_EQ(other.progress.step, 5) << file;
      EXPECT_THAT(other.notes, ElementsAre(AllOf(HasSubstr("step-10"), HasSubstr("is corrupt")))) << file;
    }
    base::write_atomically(path, whole);
  }
  EXPECT_EQ(resumed("t", "code").progress.step, 10);
  // The file matches its manifest, but lacks a tensor.
  const auto file = tiny.folder / "c/step-10/weights.safetensors";
  const run::SafetensorsFile whole(file);
  std::vector<run::NamedTensor> tensors;
  for (const auto& name : whole.names())
    if (name != "model.final_norm.bias") tensors.push_back({name, whole.read(name)});
  run::write_safetensors(file, tensors, whole.metadata());
  auto manifest = json::parse(base::read_file(tiny.folder / "c/step-10/manifest.json"));
  manifest["files"]["weights.safetensors"]["sha256"] = base::sha256_of_file(file);
  base::write_atomically(tiny.folder / "c/step-10/manifest.json", manifest.dump());
  EXPECT_EQ(resumed("t", "code").progress.step, 5);
  EXPECT_THAT(resumed("t", "code").notes,
              ElementsAre(AllOf(HasSubstr("step-10"), HasSubstr("lacks the tensor 'model.final_norm.bias'"))));
}

// The vocabulary has the same name but other ids.
class Mirrored final : public Tokenizer {
 public:
  Mirrored() { set_identity({"bytes", "tokenizer", "bytes", "data.tokenizer"}); }
  int64_t size() const override { return 256; }
  std::vector<int32_t> encode(std::string_view) const override { return {}; }
  std::string decode(const std::vector<int32_t>& ids) const override {
    return std::string(1, static_cast<char>(255 - ids.at(0)));
  }
};

// An embedding table of another vocabulary would load into the wrong rows, or not at all.
TEST(Checkpoint, AnotherVocabularyIsRefused) {
  TinyRun tiny;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    run::Checkpoints(tiny.folder / "c", "t", "code").save(run, mesh, {5, 0, 0});
    const auto& known_tokenizer = run.vocabulary->tokenizer();
    const auto special = run.vocabulary->special();
    run.vocabulary = std::make_unique<Vocabulary>(known_tokenizer, run.vocabulary->size() + 1, special);
    EXPECT_THAT([&] { run::load_weights(tiny.folder / "c/step-5/weights.safetensors", run, mesh); },
                ::testing::ThrowsMessage<UserError>(AllOf(HasSubstr("weights.safetensors"), HasSubstr("\"size\":257"),
                                                          HasSubstr("\"size\":258"), HasSubstr("\"bytes\""))));
    run.vocabulary = std::make_unique<Vocabulary>(known_tokenizer, 257, special);
    run::load_weights(tiny.folder / "c/step-5/weights.safetensors", run, mesh);
    Mirrored mirrored;
    run.tokenizer = &mirrored;
    EXPECT_THAT([&] { run::load_weights(tiny.folder / "c/step-5/weights.safetensors", run, mesh); },
                ::testing::ThrowsMessage<UserError>(HasSubstr("use the tokenizer")));
  });
  tiny.model()["width"] = 32;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    EXPECT_THAT([&] { run::load_weights(tiny.folder / "c/step-5/weights.safetensors", run, mesh); },
                ::testing::ThrowsMessage<UserError>(
                    AllOf(HasSubstr("model.embedding.weight"), HasSubstr("[264, 16]"), HasSubstr("[264, 32]"))));
  });
}

}  // namespace
}  // namespace assay::testing
