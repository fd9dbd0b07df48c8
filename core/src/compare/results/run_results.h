// What plan.jsonl, state.json and the records contain about each planned run; the only reader of results for tables.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compare/results/presence.h"
#include "record/layout.h"
#include "record/metric.h"
#include "record/plan_line/plan_line.h"
#include "record/skipped_steps.h"
#include "record/status.h"

namespace assay::compare {

struct Value {
  double value = 0;  // NaN if the record has null
  bool stale = false;
  double sum = 0, weight = 0;  // only for metrics
};

// The examples of one evaluation, by column.
struct Examples {
  std::vector<std::string> ids;
  std::map<std::string, std::vector<double>> numbers;  // the numbers that every example has
};

// A key of RunResult::code, beside components.
inline constexpr const char* kEvaluationLibrary = "evaluation library";

// What a finished training says of its origin.
struct Origin {
  std::string training_code;
  std::string commit;
  bool dirty = false;
  std::string host, cpu, libtorch;
  int cores = 0;
  std::string conditions;         // everything that timings depend on, as text
  std::vector<std::string> data;  // "austen 1f2e3d4c5b6a (public domain)"
  std::vector<std::string> data_warnings;
};

struct RunResult {
  record::PlanLine line;  // its line of the plan
  record::RunLayout files{{}};
  std::string experiment;  // the experiment that the run belongs to
  std::string group, label;
  std::int64_t seed = 0;
  std::map<std::string, std::string> axes;
  record::RunStatus status = record::RunStatus::kQueued;  // done: with all of its records
  bool diverged = false;                                  // failed at a number that is not finite
  bool trained = false;
  record::SkippedSteps steps;    // when trained
  std::int64_t accepted_to = 0;  // trained by other code, which was accepted after a replay of this many steps
  Origin origin;                 // when trained
  std::map<std::string, std::string> code;   // "positional/alibi" -> build id, of all components used
  std::map<std::string, Value> values;       // "lm.bits_per_byte@length=512"
  std::map<std::string, std::string> notes;  // metric -> note of its evaluator
  std::map<std::string, bool> evaluated;     // evaluation label -> whether it has its record
  std::map<std::string, Examples> examples;  // by evaluation label
};

struct MetricInfo {
  std::string name;
  std::string unit, direction;
};

struct Results {
  std::string experiment;
  std::vector<std::string> plan_hashes;  // one per experiment
  std::vector<RunResult> runs;           // in the order of the plan
  std::vector<MetricInfo> evaluation;    // metrics of evaluations, in the order in which they were found
  std::vector<MetricInfo> training;      // metrics that the training logged: train.loss, ...
};

// current_code: the build id of today's training library; if it is empty (unknown), only plugins can be stale.
Results read_results(const record::ExperimentLayout& experiment, const std::string& current_code);

// Whether the run has a finite value of this metric, and why not.
Presence presence_of(const RunResult& run, const std::string& metric);
// The same for the run as a whole.
Presence presence_of(const RunResult& run);

}  // namespace assay::compare
