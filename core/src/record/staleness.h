// Whether a record was made by the code that would make it today, or by code that a replay has shown to be its equal.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "record/layout.h"

namespace assay {

struct Freshness {
  std::string stale;  // names of what is other code: "training library, positional/alibi"; empty: it is fresh
  std::int64_t accepted_to = 0;  // it is other code, accepted by a replay up to this step
};

// `record` is a train.json or an evaluation's; `current_code`: build id of today's training library, empty when
// unknown.
Freshness freshness(const nlohmann::json& record, const RunLayout& run, const nlohmann::json& plan_line,
                    const std::string& current_code);

// Whether a record of a run that is done, or one of its planned evaluations', is of other code.
bool is_stale(const nlohmann::json& plan_line, const RunLayout& run, const std::string& current_code);

// Says in the run's folder that today's training code gave the first `steps` steps of this record's code to the bit.
void accept_code(const nlohmann::json& record, const RunLayout& run, const nlohmann::json& plan_line,
                 const std::string& current_code, std::int64_t steps);

}  // namespace assay
