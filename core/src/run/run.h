// One run from its plan line: assemble, train, evaluate. Writes nothing but materialised epochs; what happens is told
// to an observer and returned.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "assay/dataset.h"
#include "loader/registry.h"
#include "run/evaluate.h"

namespace assay {

// Called by the mesh's first rank only.
class Observer {
 public:
  virtual ~Observer() = default;
  // Fields as in events.jsonl (results/README.md).
  virtual void event(const std::string& type, const nlohmann::json& fields) = 0;
};

struct RunReport {
  int64_t steps = 0, tokens = 0, parameters = 0;
  double six_nd = 0, exact_flops = 0;
  double last_loss = 0;      // mean of the last tenth of the steps
  double train_seconds = 0;  // without evaluations
  double first_step_at = 0;  // seconds after execute began
  std::vector<Source> sources;
  std::vector<EvaluationReport> evaluations;  // those at the end
};

struct RunFolders {
  std::filesystem::path run;       // the run's own, for trackers
  std::filesystem::path contexts;  // materialised epochs, shared
};

RunReport execute(const Registry& registry, const nlohmann::json& plan_line, const RunFolders& folders,
                  Observer& observer);

}  // namespace assay
