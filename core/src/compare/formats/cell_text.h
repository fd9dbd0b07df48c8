// Text of numbers and cells in the formats for people.
#pragma once

#include <string>
#include <vector>

#include "compare/table/table.h"

namespace assay::compare {

// Two significant digits of the interval, and the mean to the same place: "2.104 ± 0.012". Without an interval, five
// digits.
std::string summary_text(const Summary& summary, const Column& column, Spread spread = Spread::kCi95);

// Adds the missing values if they differ from the row's n; an empty cell gives the reasons.
std::string cell_text(const Cell& cell, const Column& column, const Count& row, Spread spread = Spread::kCi95);

// Two digits, or "<0.0001".
std::string p_text(double p);

std::string row_label(const Row& row);

// The grid that all formats for people share: a header line, then one line per row; the last column is n.
using Grid = std::vector<std::vector<std::string>>;
Grid text_grid(const Table& table);

// The grids below it: one line per row and metric compared with the baseline, and one line per tuned row. Empty if
// there are none.
Grid comparison_grid(const Table& table);
Grid tuned_grid(const Table& table);

}  // namespace assay::compare
