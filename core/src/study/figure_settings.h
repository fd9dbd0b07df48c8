// [[figure]]: the figures that an experiment file defines.
#pragma once

#include <string>
#include <vector>

#include "document/diagnostics.h"
#include "document/key_path.h"
#include "document/node.h"
#include "record/plan_line/plan_line.h"

namespace assay::study {

struct FigureSettings {
  std::string name;                              // of its files
  std::string x;                                 // a coordinate of y (length), a configuration key, or train.<name>
  std::string y;                                 // a metric, as in [compare] metrics
  std::vector<std::string> series;               // axes, one line per combination of their values; empty: all but x
  document::Position position, series_position;  // of y, of series
};

// Without `name`, a figure is named after y and x: lm-bits_per_byte-by-length.
std::vector<FigureSettings> read_figures(const document::Node& document, document::Diagnostics& diagnostics);

// Checks that every y is a metric of [train] or of an evaluator of the runs, and that every series is an axis, or was
// one before the command line fixed it (`narrowed`).
void check_figures(const std::vector<FigureSettings>& figures, const std::vector<record::PlanLine>& plan_lines,
                   const std::vector<document::KeyPath>& narrowed, document::Diagnostics& diagnostics);

}  // namespace assay::study
