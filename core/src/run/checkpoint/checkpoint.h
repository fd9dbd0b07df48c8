// Checkpoints of a run: <folder>/step-N/{weights,optimizer}.safetensors and manifest.json. Tensors are whole, so that a
// mesh of any size goes on from them; a folder is written aside, synced and renamed, so that one that has its name is
// whole; the last two are kept, and none of a later step than the last.
#pragma once

#include <filesystem>
#include <map>
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

// What a run has to know besides its tensors to go on as if it had never stopped.
struct Progress {
  int64_t step = 0;          // finished updates
  double train_seconds = 0;  // of all attempts
  double seconds = 0;        // the same, with all that is not training
  Phases phases = {};        // the same, by phase
  int64_t skipped = 0;       // steps that changed nothing: not finite, or a spike
  // Under what it was trained: {from: step, mesh, threads, device}, one more whenever that changed.
  nlohmann::json stretches = nlohmann::json::array();
  Recent recent = {};                       // see SpikeGuard
  LateMeans late = {};                      // so far: "loss", and what components log
  std::vector<int64_t> epoch_begins = {0};  // see TrainingData
};

// One of Progress::stretches: of the mesh, what decides the order of sums.
nlohmann::json stretch(const nlohmann::json& mesh, int threads, const std::string& device, int64_t from);

// An attempt whose result may not be taken. It has removed its checkpoints, and readers drop its events.
struct RefusedAttempt : UserError {
  using UserError::UserError;
};

class Checkpoints {
 public:
  // code: what trains, as one text. Only checkpoints of this very run and code are gone on from.
  Checkpoints(std::filesystem::path folder, std::string train_id, std::string code)
      : folder_(std::move(folder)), train_id_(std::move(train_id)), code_(std::move(code)) {}

  // Every rank of the mesh calls it. UserError when it cannot be written; earlier checkpoints are as they were.
  void save(Assembled& run, const Mesh& mesh, const Progress& progress) const;

  struct Resumed {
    Progress progress;               // step 0: nothing to go on from
    std::vector<std::string> notes;  // why newer checkpoints were passed over; of the first rank
  };
  // Loads the newest checkpoint whose files have the hashes of its manifest. Every rank calls it. repeated: where a
  // training is repeated for its weights, under what it was; checkpoints that were made under anything else do not
  // lead to them.
  Resumed resume(Assembled& run, const Mesh& mesh, const nlohmann::json& repeated = {}) const;

  // The newest checkpoint's weights under another name; the file's SHA-256. Where another one is expected, it is
  // refused, and all checkpoints are removed: no attempt may continue from what gave wrong weights.
  std::string keep_weights(const std::filesystem::path& file, const std::string& expected = "") const;

 private:
  std::filesystem::path step_folder(int64_t step) const { return folder_ / record::checkpoint_name(step); }
  std::vector<int64_t> steps() const;  // newest first
  // "" when the checkpoint is whole and of this run; else what is wrong with it. states: names of each file's tensors.
  using States = std::vector<std::pair<const char*, std::vector<std::string>>>;
  std::string fault(int64_t step, const States& states, const nlohmann::json& repeated) const;

  std::filesystem::path folder_;
  std::string train_id_, code_;
};

// Parameters and buffers from a file of whole tensors. UserError when it was written with another vocabulary or does
// not fit the model.
void load_weights(const std::filesystem::path& file, Assembled& run, const Mesh& mesh);

// "" when the file does not say its vocabulary or all that it says is this run's; else what differs.
std::string vocabulary_fault(const SafetensorsFile& file, const Assembled& run);

// The optimizer's state in the newest checkpoint of another run's folder of checkpoints.
class OptimizerState {
 public:
  static bool exists(const std::filesystem::path& checkpoints);
  explicit OptimizerState(const std::filesystem::path& checkpoints);  // UserError when there is no checkpoint
  // "" when it means what this run's optimizer reads in it; else what is wrong.
  std::string fault(const Assembled& run) const;
  SafetensorsFile open() const;        // UserError when the file is not what was written
  SafetensorsFile open_names() const;  // the same without reading the tensors, so a corrupt one is not noticed

 private:
  std::filesystem::path folder_;
  nlohmann::json manifest_;
};

}  // namespace assay::run
