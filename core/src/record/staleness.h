// Whether a record was made by the code that would make it today, or by code that a replay has shown to be its equal.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "record/layout.h"

namespace assay::record {

struct Freshness {
  std::string stale;  // names of what is other code: "training library, positional/alibi"; empty: it is fresh
  std::int64_t accepted_to = 0;  // it is other code, accepted by a replay up to this step
};

// `record` is a train.json or an evaluation's; `current_code`: build id of today's training library, empty when
// unknown.
Freshness freshness(const nlohmann::json& record, const RunLayout& run, const nlohmann::json& plan_line,
                    const std::string& current_code);

// The lines of a plan in force with the code that their plugins' files hold now: what was built again since is other
// code. Of a file that is not here the plan has the word.
std::vector<nlohmann::json> with_code_at_hand(std::vector<nlohmann::json> plan_lines);

// What of a run that is done, or of its planned evaluations, is of other code; empty: nothing.
std::string stale_code(const nlohmann::json& plan_line, const RunLayout& run, const std::string& current_code);
bool is_stale(const nlohmann::json& plan_line, const RunLayout& run, const std::string& current_code);

// Says in the run's folder that today's training code gave the first `steps` steps of this record's code to the bit.
void accept_code(const nlohmann::json& record, const RunLayout& run, const nlohmann::json& plan_line,
                 const std::string& current_code, std::int64_t steps);

}  // namespace assay::record
