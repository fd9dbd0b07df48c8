// A finished table, its rows in another order or one of its axes across.
#pragma once

#include <string>

#include "compare/table/table.h"

namespace assay::compare {

// By the mean of a column (its name, or a part of it that no other has), smallest first; "-name": largest first. Rows
// without a value come last; "label" sorts by label. Throws UserError for what is no column.
void sort_rows(Table& table, const std::string& by);

// Rows that differ in this axis alone become one, with a column a metric and value. What is equal for all or no metric
// (counts, timings) is left out. Throws UserError for what is no axis of the table.
void pivot(Table& table, const std::string& axis);

}  // namespace assay::compare
