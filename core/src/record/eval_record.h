// eval/<eval id>.json: the record of one evaluation of one run.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "record/example.h"
#include "record/metric.h"

namespace assay::record {

struct EvalResult {
  std::int64_t step = 0;  // finished updates of the weights that were evaluated
  std::vector<RecordedMetric> metrics;
  std::vector<RecordedExample> examples;
  double seconds = 0;
  std::string started;  // ISO time
  std::string library;  // build id of the library that evaluated
};

// evaluation: one entry of the plan line's "evaluate".
nlohmann::json eval_record(const nlohmann::json& plan_line, const nlohmann::json& evaluation, const EvalResult& result);

}  // namespace assay::record
