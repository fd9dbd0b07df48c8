// How numbers and cells read in the formats for people.
#pragma once

#include <string>
#include <vector>

#include "compare/table/table.h"

namespace assay::compare {

// Two significant digits of the interval, the mean to the same place: "2.104 ± 0.012". Without an interval five digits.
std::string summary_text(const Summary& summary, const Column& column, Spread spread = Spread::kCi95);

// With what is missing, where that differs from the row's n; empty cells say why they are.
std::string cell_text(const Cell& cell, const Column& column, const Count& row, Spread spread = Spread::kCi95);

// Two digits; below 0.0001 only that.
std::string p_text(double p);

std::string row_label(const Row& row);

// The grid all formats for people share: a header line, then one line a row; the last column is n.
using Grid = std::vector<std::vector<std::string>>;
Grid text_grid(const Table& table);

// Below it: a line a row and metric that were compared with the baseline, and a line a tuned row. Empty without any.
Grid comparison_grid(const Table& table);
Grid tuned_grid(const Table& table);

}  // namespace assay::compare
