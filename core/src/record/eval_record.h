// eval/<eval id>.json: the record of one evaluation of one run.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "record/example.h"
#include "record/metric.h"
#include "record/plan_line/plan_line.h"

namespace assay::record {

struct EvalResult {
  std::int64_t step = 0;  // finished updates of the weights that were evaluated
  std::vector<RecordedMetric> metrics;
  std::vector<RecordedExample> examples;
  double seconds = 0;
  std::string started;  // ISO time
  std::string library;  // build id of the library that evaluated
};

// evaluation: one of the plan line's.
nlohmann::json eval_record(const PlanLine& plan_line, const PlannedEvaluation& evaluation, const EvalResult& result);

}  // namespace assay::record
