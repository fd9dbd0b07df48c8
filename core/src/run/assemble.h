// The components of a run on one rank, assembled in this order: create (children first), special tokens, vocabulary,
// bind, build.
#pragma once

#include <functional>
#include <map>
#include <memory>
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
#include "nn/added_tokens.h"
#include "record/plan_line/plan_line.h"
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
  int64_t every;       // steps; 0: only at the end
  std::string config;  // with the split, as text; distinguishes evaluations of one run
};

class Assembled {
 public:
  // `line` is a plan line (results/README.md). Nothing is built yet, which suffices for validate.
  Assembled(const loader::Registry& registry, const record::PlanLine& line);
  // Builds weights and optimizer on this rank of the mesh. May be called only once. draw = false: only shapes. trains =
  // false: without optimizer state.
  void build(const Mesh& mesh, bool draw = true, bool trains = true);

  Assembly assembly() const;  // the view of validate
  // After build; of all ranks. Embeddings are tables whose rows are looked up, tied heads included.
  int64_t parameter_count(bool embeddings = true) const;
  double row_flops() const;       // after build: exact FLOPs of one row of a training step
  int64_t unread() const;         // last tokens of a sequence that some objective does not read
  bool makes_sequences() const;   // some transform has the stage sequences
  Objective* classifier() const;  // the first objective that has classes; null: none

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
  std::vector<nn::AddedToken> added_tokens;                   // special tokens that start as words
  std::unique_ptr<Parameters> parameters;                     // after build
  Compute compute;                                            // of this machine; set before build
  std::map<std::string, std::unique_ptr<TrainedRun>> others;  // runs whose models evaluations use, by folder
  // Called before every forward pass of evaluations and decoding, on every rank; may throw RunStopped. continues: the
  // forward pass is of a decoded token that follows the cache.
  std::function<void(bool continues)> before_forward;

  // Of the plan line.
  int64_t context, steps, batch, micro_batch;
  double clip_norm, skip_loss_z, skip_norm_z;  // 0: disabled
  bool fp64, skip_non_finite, sequence_parallel;
  uint64_t init_seed, data_seed;
  std::string dataset_config;  // as text
  std::string data_config;     // dataset and tokenizer, as text
  std::string transforms_config;
  int tensor, data, threads;

 private:
  void bind(size_t trains);  // the first `trains` instances take part in training
};

}  // namespace assay::run
