// Inputs, notifications and results of one attempt at a run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "assay/dataset.h"
#include "run/evaluate.h"
#include "run/phases.h"

namespace assay::run {

// Called by the mesh's first rank only.
class Observer {
 public:
  virtual ~Observer() = default;
  // The fields are those of events.jsonl (results/README.md).
  virtual void event(const std::string& type, const nlohmann::json& fields) = 0;
  // When an evaluation begins, and at most once per second while it runs: step, label, batches, seconds and, if known,
  // share. This is not an event.
  virtual void evaluating(const nlohmann::json&) {}
};

struct RunReport {
  int64_t steps = 0, tokens = 0, parameters = 0, parameters_non_embedding = 0;
  int64_t skipped = 0;  // steps without an update: not finite, or a spike
  double six_nd = 0, exact_flops = 0;
  // Means over the last tenth of the steps: of the loss, which is absent when the denominators of all these steps are
  // 0, and of the metrics that components log ("simctg.cl"). Non-finite values of skipped steps are excluded; the mean
  // is NaN when there are no others.
  std::optional<double> last_loss;
  std::map<std::string, double> last_metrics;
  double train_seconds = 0;    // without evaluations
  double earlier_seconds = 0;  // of earlier attempts, up to the checkpoint from which this one resumed
  Phases phases;
  double first_step_at = 0;    // seconds after the start of execute
  std::string weights_sha256;  // of the final weights; empty if not kept
  std::vector<Source> sources;
  std::map<std::string, int64_t> data_counts;  // Dataset::counts
  std::vector<std::string> data_warnings;      // Dataset::warnings
  std::string device;                          // "cpu", "cuda:0"
  std::map<std::string, std::string> gpu;      // see description
  nlohmann::json training_segments;            // see Progress
  nlohmann::json trunk;                        // see Progress
  std::vector<EvaluationReport> evaluations;   // at the end of the run
  bool stopped = false;  // before its end, after a checkpoint at `steps`; nothing else is set then
};

// Data from the record of a finished training.
struct Trained {
  std::string weights_sha256;        // empty: the weights were not kept
  std::string code;                  // as Attempt::code
  nlohmann::json training_segments;  // as Progress::training_segments; only on the first rank
};

// One attempt at a run.
struct Attempt {
  std::filesystem::path run;             // the folder of the run: checkpoints, final weights, output of trackers
  std::filesystem::path contexts;        // materialised epochs, shared
  int number = 1;                        // from 1
  std::string code = {};                 // training code, as text; checkpoints of other code are skipped
  std::string library = {};              // build id of this library; part of the key of epochs
  std::set<std::string> evaluated = {};  // ids of evaluations that already have a record
  // (step, id) of intermediate evaluations whose events are in force; missing ones at the resumed step are evaluated
  // again
  std::set<std::pair<int64_t, std::string>> evaluated_during_training = {};
  std::vector<std::string> notes = {};  // about existing files of the run, for the start event
  std::optional<Trained> trained = {};  // set when the train record exists
  // Every rank calls it at each step and between batches of an evaluation; all ranks stop at the same point.
  std::function<bool()> stop_requested = {};
  int64_t until = 0;  // stop after this many updates; 0: run to the end
  // Steps at which other runs leave this one: it saves a checkpoint there, makes its evaluations, and calls `leave` on
  // the first rank.
  std::set<int64_t> branch_steps = {};
  std::function<void(int64_t step)> leave = {};
};

}  // namespace assay::run
