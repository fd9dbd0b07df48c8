// A comparison as plain data: formats only print it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compare/results/presence.h"
#include "compare/statistics/bootstrap.h"
#include "compare/statistics/difference.h"
#include "compare/statistics/statistics.h"

namespace assay::compare {

struct Column {
  std::string name{};              // as in [compare] metrics: lm.bits_per_byte@length=512
  std::string title{};             // as printed
  std::string unit{};              // may be empty
  std::string direction = "none";  // lower, higher, none
  bool exact = false;              // counts that are equal for all seeds: printed without an interval if they are
  bool timing = false;             // depends on the machine and on its load
  double shown_factor = 1;         // factor from the recorded unit to the one in the title
};

// Whether one direction is better and values are the same on every machine.
inline bool is_tested(const Column& column) { return column.direction != "none" && !column.timing; }

// A cell compared with the baseline's cell of its column.
struct Comparison {
  Difference difference;                // row - baseline
  double p_holm = 1;                    // adjusted within the column; 1 while the comparison is undecided
  bool separable = false;               // p_holm < 0.05
  std::optional<Interval> documents{};  // bootstrap interval of the difference over documents
  Count pairs{};                        // pairs of runs; if unpaired, the runs of both rows
  size_t open_trials = 0;               // for tuned rows: trials with failed or pending runs
  bool is_complete() const { return assay::compare::is_complete(pairs) && open_trials == 0; }
  // An incomplete comparison is not decided, because a subset may be biased.
  bool is_decided() const { return is_complete() && !difference.too_few; }
};

struct Cell {
  Summary summary;
  std::vector<std::pair<std::int64_t, double>> values;  // (seed, value) in the order of the plan
  Count count;
  SeedPresence seeds{};  // one per planned run; for a pooled row one per seed
  std::optional<Comparison> comparison{};
  bool best = false;  // the best of its column, and separable from every other row
};

// The choice of a row that is the best of several.
struct TunedChoice {
  std::string choice;  // "optimizer.lr=0.003"; empty: no trial has all of its values yet
  size_t trials = 0, trials_with_values = 0;
  size_t open = 0;                 // trials with failed or pending runs
  std::vector<std::string> edges;  // axes in which the choice is the smallest or largest number tried
};

enum class Spread { kCi95, kStd, kSem };

struct Row {
  std::string label;
  std::string group;
  std::map<std::string, std::string> axes;
  bool baseline = false;
  Count count;  // runs with all their records
  std::vector<Cell> cells;
  std::string experiment{};
  std::string compared_with{};  // label of its baseline row; empty if it has none
  std::string shared{};         // random streams shared with that row, as text
  std::optional<TunedChoice> tuned{};
};

struct Table {
  std::string experiment;
  std::vector<std::string> axes;  // in alphabetical order
  std::vector<Column> columns;
  std::vector<Row> rows;  // in the order of the plan
  std::vector<std::string> notes;
  std::vector<std::pair<std::string, std::string>> provenance;
  Spread spread = Spread::kCi95;
};

// "mean +- half-width of the 95% Student-t interval over seeds, n runs"
std::string spread_text(Spread spread);
// ci95, std, sem
std::string spread_name(Spread spread);
// The value that a cell shows after the +-.
std::optional<double> spread_of(const Summary& summary, Spread spread);

}  // namespace assay::compare
