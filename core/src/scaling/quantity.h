// What fits say, as one table: a line per fitted number.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compare/statistics/percentile.h"

namespace assay::scaling {

struct Quantity {
  std::string group{};     // of runs; empty if there is only one
  std::string approach{};  // parametric, isoflop, envelope
  std::string name{};      // "alpha", "N_opt at C=1e+20"
  double value = 0;
  std::optional<double> deviation{};            // over resamples, n - 1
  std::optional<compare::Interval> interval{};  // percentiles of the resamples
  double confidence = 0;                        // of the interval
  std::string note{};                           // "extrapolated"; empty if there is none
};

struct Report {
  std::string title;
  std::vector<Quantity> quantities;
  std::vector<std::string> notes;
  std::vector<std::pair<std::string, std::string>> provenance{};
};

// Seven significant digits in text, Markdown and LaTeX; all digits in CSV and JSON. CSV has no notes of the report.
std::string format_text(const Report& report);
std::string format_markdown(const Report& report);
std::string format_csv(const Report& report);
std::string format_json(const Report& report);
std::string format_latex(const Report& report);

}  // namespace assay::scaling
