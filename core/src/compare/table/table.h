// A comparison as plain data: what the formats print and nothing else decides.
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
  std::string title{};             // as people read it
  std::string unit{};              // may be empty
  std::string direction = "none";  // lower, higher, none
  bool exact = false;              // counts, equal for all seeds: printed without an interval when they are
  bool timing = false;             // depends on the machine and on what else it did
  double shown_factor = 1;         // from the recorded unit to the one in the title
};

// Is it better one way, and the same on every machine?
inline bool is_tested(const Column& column) { return column.direction != "none" && !column.timing; }

// A cell against the baseline's cell of its column.
struct Comparison {
  Difference difference;                // row - baseline
  double p_holm = 1;                    // adjusted within the column; 1 while nothing is decided
  bool separable = false;               // p_holm < 0.05
  std::optional<Interval> documents{};  // of the difference, over which documents were held out
  Count pairs{};                        // of runs; unpaired: the runs of both rows
  size_t open_trials = 0;               // of tuned rows: trials with runs that failed or are to come
  bool is_complete() const { return assay::compare::is_complete(pairs) && open_trials == 0; }
  // Else nothing is decided: those that are there may be the lucky ones.
  bool is_decided() const { return is_complete() && !difference.too_few; }
};

struct Cell {
  Summary summary;
  std::vector<std::pair<std::int64_t, double>> values;  // seed, value; in the order of the plan
  Count count;
  SeedPresence seeds{};  // of every planned run; of a pooled row one a seed
  std::optional<Comparison> comparison{};
  bool best = false;  // of its column, and separable from every other row
};

// Of a row that stands for the best of several.
struct TunedChoice {
  std::string choice;  // "optimizer.lr=0.003"; empty: no trial has all of its values yet
  size_t trials = 0, trials_with_values = 0;
  size_t open = 0;                 // trials with runs that failed or are to come
  std::vector<std::string> edges;  // axes in which the choice is the smallest or the largest number tried
};

enum class Spread { kCi95, kStd, kSem };

struct Row {
  std::string label;
  std::string group;
  std::map<std::string, std::string> axes;
  bool baseline = false;
  Count count;  // of runs with all their records
  std::vector<Cell> cells;
  std::string experiment{};
  std::string compared_with{};  // label of the row that is its baseline; empty when it has none
  std::string shared{};         // random streams that it shares with it, in words
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
// What a cell shows after the +-.
std::optional<double> spread_of(const Summary& summary, Spread spread);

}  // namespace assay::compare
