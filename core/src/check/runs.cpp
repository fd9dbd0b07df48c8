// Properties of every kind that takes part in training, in tiny runs: bit-reproducible runs, the same results on other
// meshes, with micro-batches and after a checkpoint.
#include "assay/dataset.h"
#include "check/subject.h"
#include "check/tiny_run.h"
#include "run/checkpoint/checkpoint.h"
#include "run/validate.h"

namespace assay::check {
namespace {

constexpr int64_t kUpdates = 3;
constexpr double kTolerance = 1e-9;  // for fp64 sums in another order, after several updates

std::vector<run::NamedTensor> trained(const TinyRun& tiny) {
  std::vector<run::NamedTensor> weights;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& text) {
    train(run, mesh, text, 0, kUpdates);
    auto whole = run::whole_weights(run, mesh);
    if (mesh.first()) weights = std::move(whole);
  });
  return weights;
}

std::string bytes_of(const std::vector<run::NamedTensor>& tensors) {
  std::string bytes;
  for (const auto& [name, value] : tensors) {
    const auto whole = value.contiguous();
    bytes += name;
    bytes.append(static_cast<const char*>(whole.const_data_ptr()),
                 static_cast<size_t>(whole.numel()) * static_cast<size_t>(whole.element_size()));
  }
  return bytes;
}

// Whether a plan of this run is valid. Errors that the plain run also has are ignored here.
bool is_planned(const Subject& subject, const TinyRun& tiny) {
  return run::validate(subject.registry, tiny.line).empty() ||
         !run::validate(subject.registry, TinyRun(subject).line).empty();
}

std::string weights_on_meshes(const Subject& subject) {
  struct Sizes {
    int tensor, data;
    bool sequence_parallel = false;
  };
  const auto expected = trained(TinyRun(subject));
  for (const auto& [tensor, data, sequence_parallel] :
       {Sizes{2, 1}, {4, 1}, {1, 2}, {2, 2}, {2, 1, true}, {4, 1, true}}) {
    TinyRun tiny(subject);
    tiny.mesh(tensor, data, sequence_parallel);
    if (!is_planned(subject, tiny)) continue;
    const auto wrong = difference(trained(tiny), expected, kTolerance);
    if (!wrong.empty())
      return "tensor = " + std::to_string(tensor) + ", data = " + std::to_string(data) +
             (sequence_parallel ? ", sequence parallel," : "") + " compared with one rank: " + wrong;
  }
  return "";
}

std::string in_micro_batches(const Subject& subject) {
  std::vector<run::NamedTensor> whole;
  for (const int64_t rows : {TinyRun::kBatch, int64_t{3}, int64_t{4}}) {  // 4 and 2: the last one is partial
    TinyRun tiny(subject);
    tiny.micro_batch(rows);
    if (!is_planned(subject, tiny)) continue;
    std::string wrong;
    tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& text) {
      gradients(run, mesh, text, 0);
      const auto found = run::whole_gradients(run, mesh);
      if (whole.empty())
        whole = found;
      else
        wrong = difference(found, whole, kTolerance);
    });
    if (!wrong.empty()) return "micro_batch = " + std::to_string(rows) + ": the gradient of " + wrong;
  }
  return "";
}

// Trains 3 steps on two ranks and saves. Loading on 4 and 1 ranks must restore the weights, and one more update must
// give the result without the interruption, bit-identical on two ranks.
std::string after_a_checkpoint(const Subject& subject) {
  const TemporaryFolder folder;
  const run::Checkpoints checkpoints(folder.path(), "check", "code");
  std::vector<run::NamedTensor> saved, went_on;
  TinyRun tiny(subject);
  tiny.mesh(2, 1);
  const int most = is_planned(subject, tiny) ? 2 : 1;  // tensor ranks that save
  tiny.mesh(most, 1);
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& text) {
    train(run, mesh, text, 0, kUpdates);
    run::Progress progress;
    progress.step = kUpdates;
    checkpoints.save(run, mesh, progress);
    auto now = run::whole_weights(run, mesh);
    train(run, mesh, text, kUpdates, kUpdates + 1);
    auto later = run::whole_weights(run, mesh);
    if (mesh.first()) saved = std::move(now), went_on = std::move(later);
  });
  std::string wrong;
  for (const int ranks : {4, 1, 2}) {
    tiny.mesh(ranks, 1);
    if (!is_planned(subject, tiny)) continue;
    tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& text) {
      checkpoints.resume(run, mesh);
      const auto loaded = run::whole_weights(run, mesh);
      train(run, mesh, text, kUpdates, kUpdates + 1);
      const auto later = run::whole_weights(run, mesh);
      if (!mesh.first() || !wrong.empty()) return;
      wrong = difference(loaded, saved, 0);
      if (!wrong.empty()) wrong = "loaded on tensor = " + std::to_string(ranks) + ": " + wrong;
      if (!wrong.empty()) return;
      wrong = ranks == most ? difference(later, went_on, 0) : difference(later, went_on, kTolerance);
      if (!wrong.empty()) wrong = "the update after it on tensor = " + std::to_string(ranks) + ": " + wrong;
    });
    if (!wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace

void runs(const Subject& subject) {
  if (subject.kind == "dataset" && Instance<Dataset>(subject)->size(Split::kTrain) == 0) return;  // to evaluate on
  subject.property("a run is bit-reproducible, also next to another run in a second thread",
                   [&] { return repeats([&] { return bytes_of(trained(TinyRun(subject))); }); });
  subject.property("tensor = 1, 2, 4 and data = 1, 2 train the same weights",
                   [&] { return weights_on_meshes(subject); });
  subject.property("k micro-batches of b give the gradient of one batch of kb",
                   [&] { return in_micro_batches(subject); });
  subject.property("a run resumes from its checkpoint bit-identically, and the checkpoint loads on other meshes",
                   [&] { return after_a_checkpoint(subject); });
}

}  // namespace assay::check
