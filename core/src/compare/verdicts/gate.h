// Compares the current table with a baseline: is any row worse by more than the tolerance?
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "compare/statistics/difference.h"
#include "compare/table/table.h"

namespace assay::compare {

// How much worse a metric may become: in its unit, or as a share of the baseline's mean.
struct Tolerance {
  double amount = 0;
  bool relative = false;
};
// "0.01" or "1%". Throws UserError.
Tolerance read_tolerance(const std::string& text);
std::string tolerance_text(const Tolerance& tolerance);
// Keyed by metric (its full name, or without coordinates); "" applies to metrics that are not named.
using Tolerances = std::map<std::string, Tolerance>;

enum class GateVerdict { kFine, kRegression, kUndecided };
const char* name_of(GateVerdict verdict);

struct GateCheck {
  std::string row, metric;
  GateVerdict verdict = GateVerdict::kUndecided;
  std::optional<Difference> difference;  // positive if the current value is worse; paired if the seeds are equal
  double tolerance = 0;                  // in the metric's unit
  std::string reason;
};

// The content that --update writes: for every row the values by seed of every metric that has a better direction and is
// not a timing, and the seeds that diverged. A row without any value is left out.
nlohmann::json gate_baseline(const Table& table, const Tolerances& tolerances);
// One line per row, or per group of metrics of a row, whose runs have no value for the baseline, with the reasons.
std::vector<std::string> rows_without_values(const Table& table);
// One line per row, or per group of metrics of a row, that is not in the baseline and so is not tested.
std::vector<std::string> rows_without_baseline(const Table& table, const nlohmann::json& baseline);
// Parses such a file. Throws UserError, with the file's name, when it is not valid.
nlohmann::json read_gate_baseline(const std::string& text, const std::string& file);
Tolerances tolerances_of(const nlohmann::json& baseline);

// One check per row and metric of the baseline. Fine: no seed is worse (beyond rounding), or the one-sided t test at
// 0.05 shows that the difference is below the tolerance; each check is tested alone because all must pass. Regression:
// the same test shows that it is above, with Holm over the checks that are not fine; or a run diverged that had not
// diverged in the baseline. Otherwise undecided, as with fewer than three seeds, or if another run of the row has no
// value.
std::vector<GateCheck> gate(const Table& table, const nlohmann::json& baseline, const Tolerances& tolerances);

}  // namespace assay::compare
