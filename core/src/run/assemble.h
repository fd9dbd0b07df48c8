// One rank's components of a run, wired in the order: create (children first), special tokens, vocabulary, bind, build.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "assay/callback.h"
#include "assay/dataset.h"
#include "assay/evaluator.h"
#include "assay/mesh.h"
#include "assay/model.h"
#include "assay/objective.h"
#include "assay/optimizer.h"
#include "assay/scheduler.h"
#include "assay/tokenizer.h"
#include "assay/tracker.h"
#include "assay/transform.h"
#include "loader/instances.h"
#include "run/device.h"

namespace assay::run {

struct WeightedObjective {
  Objective* objective;
  std::string label;
  double weight;
};

struct LabelledEvaluator {
  Evaluator* evaluator;
  std::string label, id;
  Split split;
  int64_t every;       // steps; 0: at the end only
  std::string config;  // with the split, as text: what tells evaluations of one run apart
};

class Assembled {
 public:
  // `line` is a plan line (results/README.md). Nothing is built yet: enough for validate.
  Assembled(const loader::Registry& registry, const nlohmann::json& line);
  // Weights and optimizer; on this rank of the mesh. Only once. draw = false: shapes only. trains = false: without the
  // optimizer's state.
  void build(const Mesh& mesh, bool draw = true, bool trains = true);

  Assembly assembly() const;        // what validate sees
  int64_t parameter_count() const;  // after build; of all ranks
  double row_flops() const;         // after build: exact FLOPs of one row of a training step
  int64_t unread() const;           // last tokens of a context that some objective leaves for the next one

  loader::Instances instances;
  Dataset* dataset;
  Tokenizer* tokenizer;
  Model* model;
  std::vector<WeightedObjective> objectives;
  std::vector<const Transform*> transforms;
  Optimizer* optimizer;
  Scheduler* scheduler;
  std::vector<LabelledEvaluator> evaluators;
  std::vector<Tracker*> trackers;
  std::vector<Callback*> callbacks;
  std::unique_ptr<Vocabulary> vocabulary;
  std::unique_ptr<Parameters> parameters;                     // after build
  Compute compute;                                            // of this machine; settled before build
  std::map<std::string, std::unique_ptr<TrainedRun>> others;  // runs that evaluations asked, by folder
  // Of evaluations and decoding; continues: a decoded token follows what is in the cache. Every rank calls it; may
  // throw RunStopped.
  std::function<void(bool continues)> before_forward;

  // Of the plan line.
  int64_t context, steps, batch, micro_batch;
  double clip_norm, skip_loss_z, skip_norm_z;  // 0: not done
  bool fp64, skip_non_finite, sequence_parallel;
  uint64_t init_seed, data_seed;
  std::string dataset_config;  // as text
  std::string data_config;     // dataset and tokenizer, as text
  int tensor, data, threads;

 private:
  void bind(size_t trains);  // the first so many instances train
};

}  // namespace assay::run
