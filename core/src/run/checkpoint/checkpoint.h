// Checkpoints of a run: <folder>/step-N/{weights,optimizer}.safetensors and manifest.json. Tensors are unsharded, so
// that a mesh of any size can resume from them. A folder is written under a temporary name, synced and renamed, so that
// a folder with its final name is complete. The last two checkpoints are kept, and none of a step after the last one.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "record/layout.h"
#include "run/assemble.h"
#include "run/checkpoint/safetensors.h"
#include "run/late_means.h"
#include "run/phases.h"
#include "run/spikes.h"

namespace assay::run {

// The state besides tensors that a run needs to resume as if it had never stopped.
struct Progress {
  int64_t step = 0;          // finished updates
  double train_seconds = 0;  // of all attempts
  double seconds = 0;        // the same, including everything that is not training
  Phases phases = {};        // the same, by phase
  int64_t skipped = 0;       // steps without an update: not finite, or a spike
  // The training environments: {from: step, mesh, threads, device}, with one entry per change.
  nlohmann::json training_segments = nlohmann::json::array();
  Recent recent = {};                       // see SpikeGuard
  LateMeans late = {};                      // so far: "loss", and metrics that components log
  std::vector<int64_t> epoch_begins = {0};  // see TrainingData
  nlohmann::json trunk = {};                // {run, step} if the first steps are another run's; null otherwise
};

// One entry of Progress::training_segments; of the mesh, it has the keys that affect the order of sums.
nlohmann::json training_segment(const nlohmann::json& mesh, int threads, const std::string& device, int64_t from);

// An attempt whose result is rejected. It has removed its checkpoints, and readers drop its events.
struct RefusedAttempt : UserError {
  using UserError::UserError;
};

class Checkpoints {
 public:
  // code: the training code, as text. A run resumes only from checkpoints of the same run and code.
  Checkpoints(std::filesystem::path folder, std::string train_id, std::string code)
      : folder_(std::move(folder)), train_id_(std::move(train_id)), code_(std::move(code)) {}

  // Must be called on every rank of the mesh. Throws UserError when the checkpoint cannot be written; earlier
  // checkpoints are unchanged then.
  void save(Assembled& run, const Mesh& mesh, const Progress& progress) const;

  struct Resumed {
    Progress progress;               // step 0: no checkpoint
    std::vector<std::string> notes;  // why newer checkpoints were skipped; on the first rank
  };
  // Loads the newest checkpoint whose files match the hashes of its manifest. Must be called on every rank. repeated:
  // when a training is repeated to reproduce its weights, its environments; checkpoints made in other environments are
  // skipped, because they would not reproduce the weights.
  Resumed resume(Assembled& run, const Mesh& mesh, const nlohmann::json& repeated = {}) const;

  // Makes a checkpoint of this run the other run's own, which continues it: its steps so far are equal, and none of
  // them is among the last tenth of the other run. `other` knows the code of that run.
  void give(int64_t step, const Checkpoints& other) const;

  // Stores the newest checkpoint's weights as `file` and returns its SHA-256. If another hash is expected, throws
  // RefusedAttempt and removes all checkpoints, so that no attempt resumes from a training that gave wrong weights.
  std::string keep_weights(const std::filesystem::path& file, const std::string& expected = "") const;

 private:
  std::filesystem::path step_folder(int64_t step) const { return folder_ / record::checkpoint_name(step); }
  std::vector<int64_t> steps() const;  // newest first
  // Returns "" when the checkpoint is complete and belongs to this run, else the reason. states: the tensor names of
  // each file.
  using States = std::vector<std::pair<const char*, std::vector<std::string>>>;
  std::string fault(int64_t step, const States& states, const nlohmann::json& repeated) const;

  std::filesystem::path folder_;
  std::string train_id_, code_;
};

// Loads parameters and buffers from a file of unsharded tensors. Throws UserError when the file was written with
// another vocabulary or does not fit the model.
void load_weights(const std::filesystem::path& file, Assembled& run, const Mesh& mesh);

// Returns "" when the file has no vocabulary or its vocabulary agrees with that of this run, else the difference.
std::string vocabulary_fault(const SafetensorsFile& file, const Assembled& run);

// The size of the file's vocabulary if the run's is that one and more special tokens behind it; -1 otherwise.
int64_t grown_from(const SafetensorsFile& file, const Assembled& run);

// The optimizer state in the newest checkpoint of another run.
class OptimizerState {
 public:
  static bool exists(const std::filesystem::path& checkpoints);
  explicit OptimizerState(const std::filesystem::path& checkpoints);  // throws UserError without one
  // Returns "" when its format is the one that this run's optimizer reads, else the error.
  std::string fault(const Assembled& run) const;
  SafetensorsFile open() const;        // throws UserError when the file is corrupt
  SafetensorsFile open_names() const;  // the same without the check of its SHA-256

 private:
  std::filesystem::path folder_;
  nlohmann::json manifest_;
};

}  // namespace assay::run
