// Points for scaling laws from a table, and what makes a row unfit.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "scaling/point.h"
#include "scaling/power_law.h"
#include "scaling/read_csv.h"

namespace assay::scaling {

// The columns with N, D, C and loss; of D and C one suffices, because C = 6ND.
struct ColumnNames {
  std::string parameters = "N", tokens = "D", flops = "C", loss = "loss";
  bool tokens_given = false, flops_given = false;  // named by the user, so that they must exist
};

// "N=Model Size,C=Training FLOP,loss=loss": the names of columns may contain spaces and commas. Throws UserError.
ColumnNames column_names(const std::string& text);

// One point per row. Throws UserError with every row that has an empty, non-numeric, infinite, zero or negative value.
std::vector<Point> points_of(const CsvTable& table, const ColumnNames& columns, const std::string& name);

// Throws UserError with every point whose values are not positive and finite or, unless `keep_duplicates`, equal those
// of an earlier one, which would count twice.
void check_points(const std::vector<Point>& points, const std::string& name, bool keep_duplicates);

// The names of these rows; runs that differ in their seed alone are named once: "train.steps=100 seed=1, 2, 3".
std::string names_of(const std::vector<Point>& points, const std::vector<std::size_t>& rows);

// Which of an optimum's C, N and D is outside of the points, and their range; empty if all three are inside.
std::string outside_of(const std::vector<Point>& points, const Optimum& optimum);

}  // namespace assay::scaling
