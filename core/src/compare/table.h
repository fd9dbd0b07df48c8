// A comparison as plain data: what the formats print and nothing else decides.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "compare/statistics.h"

namespace assay {

// How many of the planned runs of a row have a value, and why the others have none.
struct Count {
  int planned = 0;
  int present = 0;
  int failed = 0;
  int diverged = 0;        // stopped at, or ended with, a number that is not finite
  int missing = 0;         // not run yet, running, cancelled
  int not_applicable = 0;  // the record is there and does not have this metric
  int stale = 0;           // of the present ones: made by code other than today's
  bool operator==(const Count&) const = default;
};
// "6", "5/6 (1 failed)", "4/6 (1 diverged, 1 missing)", "6 (2 stale)".
std::string count_text(const Count& count);

struct Column {
  std::string name{};              // as in [compare] metrics: lm.bits_per_byte@length=512
  std::string title{};             // as people read it
  std::string unit{};              // may be empty
  std::string direction = "none";  // lower, higher, none
  bool exact = false;              // counts, equal for all seeds: printed without an interval when they are
  bool timing = false;             // depends on the machine and on what else it did
  double shown_factor = 1;         // from the recorded unit to the one in the title
};

struct Cell {
  Summary summary;
  std::vector<std::pair<std::int64_t, double>> values;  // seed, value; in the order of the plan
  Count count;
};

struct Row {
  std::string label;
  std::string group;
  std::map<std::string, std::string> axes;
  bool baseline = false;
  Count count;  // of runs with all their records
  std::vector<Cell> cells;
};

struct Table {
  std::string experiment;
  std::vector<std::string> axes;  // in alphabetical order
  std::vector<Column> columns;
  std::vector<Row> rows;  // in the order of the plan
  std::vector<std::string> notes;
  std::vector<std::pair<std::string, std::string>> provenance;
};

inline constexpr const char* kSpread = "mean \u00b1 half-width of the 95% Student-t interval over seeds, n runs";

}  // namespace assay
