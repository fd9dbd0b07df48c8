// A figure as plain data: its series and points.
#pragma once

#include <string>
#include <vector>

#include "compare/table/table.h"
#include "record/plan_line/plan_line.h"
#include "study/figure_settings.h"

namespace assay::report {

struct FigurePoint {
  double x = 0;              // a number, or the index of a category
  std::string x_text;        // text in the CSV and at the axis
  compare::Summary summary;  // n = 0: only a mark is drawn, where values were expected
  compare::Count count;      // counts planned runs; a mean of a part of them is marked
};

struct FigureSeries {
  std::string label;
  std::vector<FigurePoint> points;  // by x
};

struct Figure {
  std::string name, experiment;
  std::string x, y, unit;
  bool categories = false;  // x is not a number
  std::vector<FigureSeries> series;
  std::vector<std::pair<std::string, compare::Count>>
      unplaced{};  // rows without a value of x because their runs have none
  std::vector<std::pair<std::string, std::string>> provenance;
};

// The metrics that a figure needs from the table: y at all its coordinates, and x if it is a metric.
std::vector<std::string> metrics_of(const study::FigureSettings& figure,
                                    const std::vector<record::PlanLine>& plan_lines);

// Throws UserError when the runs do not have x, when y leaves a coordinate open, or when two rows would share a point.
Figure make_figure(const study::FigureSettings& settings, const compare::Table& table,
                   const std::vector<record::PlanLine>& plan_lines);

// The numbers, one per line, series by series; and the gnuplot script that draws <name>.svg and <name>.pdf from them.
std::string figure_csv(const Figure& figure);
std::string figure_script(const Figure& figure);

}  // namespace assay::report
