// What one attempt at a run is given, what it tells while it runs, and what it leaves.
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
  // Fields as in events.jsonl (results/README.md).
  virtual void event(const std::string& type, const nlohmann::json& fields) = 0;
  // When an evaluation begins, and at most once per second while it runs: step, label, batches, seconds and, where it
  // is known, share. No event.
  virtual void evaluating(const nlohmann::json&) {}
};

struct RunReport {
  int64_t steps = 0, tokens = 0, parameters = 0;
  int64_t skipped = 0;  // of the steps, those that changed nothing: not finite, or a spike
  double six_nd = 0, exact_flops = 0;
  // Means over the last tenth of the steps: of the loss, which is not there when none of them had anything to count,
  // and of what components log ("simctg.cl"). Without the non-finite values of skipped steps; NaN when there are no
  // others.
  std::optional<double> last_loss;
  std::map<std::string, double> last_metrics;
  double train_seconds = 0;    // without evaluations
  double earlier_seconds = 0;  // of attempts before this one, as far as it went on from them
  Phases phases;
  double first_step_at = 0;    // seconds after execute began
  std::string weights_sha256;  // of the final weights; empty when they are not kept
  std::vector<Source> sources;
  std::string device;                         // "cpu", "cuda:0"
  std::map<std::string, std::string> gpu;     // see description
  nlohmann::json stretches;                   // see Progress
  std::vector<EvaluationReport> evaluations;  // those at the end
  bool stopped = false;  // in good order and before its end, with a checkpoint at `steps`; nothing else is told then
};

// What the record of a finished training says of it.
struct Trained {
  std::string weights_sha256;  // empty: the weights were not kept
  std::string code;            // as Attempt::code
  nlohmann::json stretches;    // as Progress::stretches; the first rank's alone
};

// One attempt at a run.
struct Attempt {
  std::filesystem::path run;             // the run's own folder: checkpoints, final weights, what trackers write
  std::filesystem::path contexts;        // materialised epochs, shared
  int number = 1;                        // from 1
  std::string code = {};                 // what trains, as one text; a checkpoint of other code is not gone on from
  std::string library = {};              // build id of this library; another one packs its own epochs
  std::set<std::string> evaluated = {};  // ids of the evaluations that have their record and are not done again
  // (step, id) of evaluations on the way whose events are in force; missing ones of the step it resumes are made up for
  std::set<std::pair<int64_t, std::string>> evaluated_on_the_way = {};
  std::vector<std::string> notes = {};  // of what is there of the run, for the start event
  std::optional<Trained> trained = {};  // when training has its record
  // Every rank asks its process at each step and between batches of an evaluation; all stop at the same one.
  std::function<bool()> asked_to_stop = {};
  int64_t until = 0;  // stop when so many updates are done; 0: never before the end
};

}  // namespace assay::run
