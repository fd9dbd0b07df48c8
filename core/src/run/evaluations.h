// Evaluations of a run: during training at the steps of every entry, and at the end those without a record. A stop
// request ends an evaluation between two batches; its partial results are dropped, and a later attempt repeats it.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "run/attempt.h"

namespace assay::run {

class Evaluations {
 public:
  using LogEvent = std::function<void(const std::string& type, const nlohmann::json& fields)>;
  // tell: called on the first rank with the event of each finished evaluation.
  Evaluations(Assembled& run, const Mesh& mesh, const Attempt& attempt, Observer& observer, LogEvent log_event)
      : run_(run), mesh_(mesh), attempt_(attempt), observer_(observer), log_event_(std::move(log_event)) {}

  // Must be called on every rank; all return false at the same point when one received a stop request.
  bool during_training(int64_t step, Phases& phases) { return evaluate_due(step, phases, /*missing_only=*/false); }
  // Evaluations at the resumed step that no earlier attempt has finished.
  bool missed_at(int64_t step, Phases& phases) { return evaluate_due(step, phases, /*missing_only=*/true); }
  // Only the first rank gets reports.
  bool at_end(Phases& phases, std::vector<EvaluationReport>& reports);

 private:
  bool evaluate_due(int64_t step, Phases& phases, bool missing_only);
  std::optional<EvaluationReport> evaluated(const LabelledEvaluator& entry, int64_t step, Phases& phases);
  bool any_rank_stops() const;

  Assembled& run_;
  const Mesh& mesh_;
  const Attempt& attempt_;
  Observer& observer_;
  LogEvent log_event_;
};

}  // namespace assay::run
