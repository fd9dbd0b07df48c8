// What plan.jsonl, state.json and the records say of each planned run; the only reader of results for tables.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compare/results/presence.h"
#include "record/layout.h"
#include "record/metric.h"
#include "record/skipped_steps.h"

namespace assay::compare {

struct Value {
  double value = 0;  // NaN where the record holds null
  bool stale = false;
  double sum = 0, weight = 0;  // of a metric
};

// The examples of one evaluation, by columns.
struct Examples {
  std::vector<std::string> ids;
  std::map<std::string, std::vector<double>> numbers;  // those that every example has
};

// In RunResult::code, beside components.
inline constexpr const char* kEvaluationLibrary = "evaluation library";

enum class RunStatus { kComplete, kFailed, kDiverged, kPruned, kMissing };

// What a finished training says of its origin.
struct Origin {
  std::string training_code;
  std::string commit;
  bool dirty = false;
  std::string host, cpu, libtorch;
  int cores = 0;
  std::string conditions;         // all that timings depend on, in words
  std::vector<std::string> data;  // "austen 1f2e3d4c5b6a (public domain)"
};

struct RunResult {
  nlohmann::json line;  // of the plan
  record::RunLayout files{{}};
  std::string experiment;  // whose results these are
  std::string group, label;
  std::int64_t seed = 0;
  std::map<std::string, std::string> axes;
  RunStatus status = RunStatus::kMissing;
  bool trained = false;
  record::SkippedSteps steps;                // when trained
  std::int64_t accepted_to = 0;              // trained by other code, accepted after a replay of so many steps
  Origin origin;                             // when trained
  std::map<std::string, std::string> code;   // "positional/alibi" -> build id; of trained and evaluated components
  std::map<std::string, Value> values;       // "lm.bits_per_byte@length=512"
  std::map<std::string, std::string> notes;  // of evaluators, on values of these metrics
  std::map<std::string, bool> evaluated;     // evaluation label -> has its record
  std::map<std::string, Examples> examples;  // by evaluation label
};

struct MetricInfo {
  std::string name;
  std::string unit, direction;
};

struct Results {
  std::string experiment;
  std::vector<std::string> plan_hashes;  // one an experiment
  std::vector<RunResult> runs;           // in the order of the plan
  std::vector<MetricInfo> evaluation;    // metrics of evaluations, in the order they were found
  std::vector<MetricInfo> training;      // metrics the training logged: train.loss, ...
};

// current_code: build id of today's training library; empty when unknown, then only plugins can be stale.
Results read_results(const record::ExperimentLayout& experiment, const std::string& current_code);

// Has the run a finite value of this metric, and why not?
Presence presence_of(const RunResult& run, const std::string& metric);
// Of the run as a whole.
Presence presence_of(RunStatus status);

}  // namespace assay::compare
