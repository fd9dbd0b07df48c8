// Whether a record was made by the current code, or by code that a replay has shown to be bit-identical.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "record/layout.h"
#include "record/plan_line/plan_line.h"

namespace assay::record {

struct Freshness {
  std::string stale;             // what has changed: "training library, positional/alibi"; empty: fresh
  std::int64_t accepted_to = 0;  // changed code, accepted by a replay up to this step
};

// `record` is a train record or an evaluation record; `current_code` is the build id of the current training library,
// empty when unknown.
Freshness freshness(const nlohmann::json& record, const RunLayout& run, const PlanLine& plan_line,
                    const std::string& current_code);

// Returns the lines of a plan in force with the current build ids of their plugin files: a plugin that was rebuilt
// since is different code. If a file does not exist here, the plan's entry is kept.
std::vector<PlanLine> with_current_code(std::vector<PlanLine> plan_lines);

// The parts of a finished run, or of its planned evaluations, that were made by different code; empty if there are
// none.
std::string stale_code(const PlanLine& plan_line, const RunLayout& run, const std::string& current_code);
bool is_stale(const PlanLine& plan_line, const RunLayout& run, const std::string& current_code);

// Records in the run's folder that the current training code reproduced the first `steps` steps of this record's code
// bit by bit.
void accept_code(const nlohmann::json& record, const RunLayout& run, const PlanLine& plan_line,
                 const std::string& current_code, std::int64_t steps);

}  // namespace assay::record
