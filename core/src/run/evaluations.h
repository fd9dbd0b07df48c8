// When a run evaluates: on the way at every entry's steps, at the end what has no record yet. A request to stop leaves
// an evaluation between two of its batches; what it has measured so far is dropped, and a later attempt does it again.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "run/attempt.h"

namespace assay::run {

class Evaluations {
 public:
  using Tell = std::function<void(const std::string& type, const nlohmann::json& fields)>;
  // tell: called by the first rank with the event of each evaluation that is done.
  Evaluations(Assembled& run, const Mesh& mesh, const Attempt& attempt, Observer& observer, Tell tell)
      : run_(run), mesh_(mesh), attempt_(attempt), observer_(observer), tell_(std::move(tell)) {}

  // Every rank calls these; all of them return false at the same point when one was asked to stop.
  bool on_the_way(int64_t step, Phases& phases) { return make_due(step, phases, /*missing_only=*/false); }
  // Of the step that the run is resumed from: what no earlier attempt has done.
  bool missing_at(int64_t step, Phases& phases) { return make_due(step, phases, /*missing_only=*/true); }
  // Reports are for the first rank.
  bool at_the_end(Phases& phases, std::vector<EvaluationReport>& reports);

 private:
  bool make_due(int64_t step, Phases& phases, bool missing_only);
  std::optional<EvaluationReport> evaluated(const LabelledEvaluator& entry, int64_t step, Phases& phases);
  bool any_rank_asked() const;

  Assembled& run_;
  const Mesh& mesh_;
  const Attempt& attempt_;
  Observer& observer_;
  Tell tell_;
};

}  // namespace assay::run
