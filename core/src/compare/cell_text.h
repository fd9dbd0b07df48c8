// How numbers and cells read in the formats for people.
#pragma once

#include <string>
#include <vector>

#include "compare/table.h"

namespace assay {

// Two significant digits of the interval, the mean to the same place: "2.104 ± 0.012". Without an interval five digits.
std::string summary_text(const Summary& summary, const Column& column);

// With what is missing, where that differs from the row's n; empty cells say why they are.
std::string cell_text(const Cell& cell, const Column& column, const Count& row);

std::string row_label(const Row& row);

// The grid all formats for people share: a header line, then one line a row; the last column is n.
std::vector<std::vector<std::string>> text_grid(const Table& table);

}  // namespace assay
