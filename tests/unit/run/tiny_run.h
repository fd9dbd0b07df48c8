// A tiny run of the real plugins on a generated text, as a plan line, and direct access to its ranks.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "assay/random.h"
#include "data/training_data.h"
#include "harness.h"
#include "mesh/backends.h"
#include "run/assemble.h"
#include "run/run.h"
#include "smoke.h"
#include "unit/plan_line.h"
#include "unit/source_folder.h"
#include "unit/temporary_folder.h"

namespace assay::testing {

using nlohmann::json;

// Documents of made-up words, deterministic; one paragraph per document.
inline std::string made_text(int words) {
  const Draws draws(7, "made text");
  std::string text;
  for (int w = 0; w < words; ++w) {
    const auto length = 2 + draws.below(6, static_cast<uint64_t>(w) * 16);
    for (uint64_t c = 0; c < length; ++c)
      text += static_cast<char>('a' + draws.below(9, static_cast<uint64_t>(w) * 16 + 1 + c));
    text += w % 40 == 39 ? "\n\n" : w % 9 == 8 ? "\n" : " ";
  }
  return text;
}

// Every folder plugins/positional/<name>, with the values from its smoke.toml.
inline std::vector<json> positional_schemes() {
  std::vector<json> schemes;
  for (const auto& folder : std::filesystem::directory_iterator(source_folder() / "plugins/positional")) {
    if (folder.is_directory()) schemes.push_back(smoke_of("positional", folder.path().filename().string()));
  }
  return schemes;
}

struct TinyRun {
  TinyRun() {
    std::ofstream(folder.path() / "text.txt") << made_text(3000);
    line = {{"experiment", "tiny"},
            {"label", "tiny"},
            {"train_id", "t"},
            {"group", "g"},
            {"seed", 1},
            {"data_id", "tiny"},
            {"log_every", 1},
            {"plugins", json::object()},
            {"evaluate", json::array()},
            {"checkpoint", {{"every", 0}, {"keep", "none"}}},
            {"resources", {{"mesh", {{"tensor", 1}, {"data", 1}}}, {"threads", 1}, {"micro_batch", 6}}}};
    line["train"] = {
        {"data",
         {{"dataset", {{"use", "text"}, {"path", (folder.path() / "text.txt").string()}, {"document", "paragraph"}}},
          {"tokenizer", "bytes"},
          {"context", 16}}},
        {"model",
         {{"use", "gpt"},
          {"layers", 2},
          {"width", 16},
          {"heads", 4},
          {"dropout", 0.1},
          {"init_std", 0.2},
          {"positional", {{"use", "alibi"}}}}},
        {"objectives", {{{"use", "mle"}, {"label", "mle"}, {"weight", 1.0}}}},
        {"transforms", json::array()},
        {"optimizer", {{"use", "adamw"}, {"lr", 0.003}}},
        {"scheduler", {{"use", "constant"}}},
        {"train", {{"steps", 10}, {"batch", 6}, {"clip_norm", 1.0}, {"precision", "fp64"}, {"non_finite", "stop"}}},
        {"seeds", {{"init", 3}, {"data", 5}}}};
  }

  record::PlanLine planned() const { return plan_line(line); }
  json& model() { return line["train"]["model"]; }
  void mesh(int tensor, int data, bool sequence_parallel = false) {
    line["resources"]["mesh"] = {{"tensor", tensor}, {"data", data}, {"sequence_parallel", sequence_parallel}};
  }

  using Body = std::function<void(run::Assembled&, const Mesh&, data::TrainingData&)>;

  // Assembles and builds the run and calls body on every rank.
  void on_ranks(const Body& body) const {
    const auto sizes = planned().resources.mesh;
    mesh::run_ranks(sizes.tensor, sizes.data, [&](Mesh& mesh) { on_rank(mesh, body); });
  }
  void on_rank(const Mesh& mesh, const Body& body) const {
    run::Assembled run(registry(), planned());
    run.build(mesh);
    const auto data = data::open_training_data({run.dataset, run.vocabulary.get(), run.transforms, run.context,
                                                run.data_seed, "tiny", folder.path(), run.unread()},
                                               mesh);
    body(run, mesh, *data);
  }

  TemporaryFolder folder;
  json line;  // the differences from testing::plan_line
};

// Returns the whole tensor from this rank's shard; for double and float.
inline Tensor reassembled(const Parameter& parameter, const Tensor& shard, const Mesh& mesh) {
  if (parameter.spec.shard_dim < 0 || mesh.tensor().size() == 1) return shard;
  const auto moved = shard.movedim(parameter.spec.shard_dim, -1);
  return gather_from_tensor_parallel_region(moved, -1, mesh).movedim(-1, parameter.spec.shard_dim).contiguous();
}

// Returns the losses that a run logged, of the steps that have one.
class Losses final : public run::Observer {
 public:
  void event(const std::string& type, const json& fields) override {
    if (type == "step" && fields.contains("loss")) values.push_back(fields["loss"]);
  }
  std::vector<double> values;
};

}  // namespace assay::testing
