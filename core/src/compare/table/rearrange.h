// Reorders the rows of a finished table, or turns one of its axes into columns.
#pragma once

#include <string>

#include "compare/table/table.h"

namespace assay::compare {

// Sorts by the mean of a column (its name, or a part of it that no other has), smallest first; "-name": largest first.
// Rows without a value come last; "label" sorts by label. Throws UserError for an unknown column.
void sort_rows(Table& table, const std::string& by);

// Merges rows that differ only in this axis into one, with one column per metric and value. Columns that are not
// metrics (counts, timings) are left out. Throws UserError for an unknown axis.
void pivot(Table& table, const std::string& axis);

}  // namespace assay::compare
