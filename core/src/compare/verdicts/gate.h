// Today's table against one that was kept: has any row become worse than what is tolerated?
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "compare/statistics/difference.h"
#include "compare/table/table.h"

namespace assay::compare {

// How much worse a metric may become: absolutely, or as a share of the kept mean.
struct Tolerance {
  double amount = 0;
  bool relative = false;
};
// "0.01" or "1%". Throws UserError.
Tolerance read_tolerance(const std::string& text);
std::string tolerance_text(const Tolerance& tolerance);
// By metric (its full name, or without coordinates); "" is for those that are not named.
using Tolerances = std::map<std::string, Tolerance>;

enum class GateVerdict { kFine, kRegression, kUndecided };
const char* name_of(GateVerdict verdict);

struct GateCheck {
  std::string row, metric;
  GateVerdict verdict = GateVerdict::kUndecided;
  std::optional<Difference> difference;  // of what is worse: positive when today's is; paired where the seeds are equal
  double tolerance = 0;                  // in the metric's unit
  std::string reason;
};

// What --update writes: of every row the values by seed of every metric that has a better direction and no clock, and
// the seeds that diverged. A row without any value is left out.
nlohmann::json gate_baseline(const Table& table, const Tolerances& tolerances);
// A line for each row, or metrics of a row, of which runs have no value to keep, with the reasons.
std::vector<std::string> not_kept(const Table& table);
// A line for each row, or metrics of a row, that the baseline does not have: nothing guards them.
std::vector<std::string> not_guarded(const Table& table, const nlohmann::json& baseline);
// Of such a file. Throws UserError naming it when it is none.
nlohmann::json read_gate_baseline(const std::string& text, const std::string& file);
Tolerances tolerances_of(const nlohmann::json& baseline);

// A check per row and metric that the baseline has. Fine: no seed is worse (rounding apart), or the one-sided t test at
// 0.05 says that the difference is below the tolerance; each check alone, for all have to pass. Regression: the same
// test says above, Holm over the checks that are not fine; or a run diverged that had not when the values were kept.
// Else undecided, as with fewer than three seeds, or where another run of the row has no value.
std::vector<GateCheck> gate(const Table& table, const nlohmann::json& baseline, const Tolerances& tolerances);

}  // namespace assay::compare
