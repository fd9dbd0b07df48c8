// The request for a table.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compare/table/table.h"
#include "record/layout.h"
#include "study/compare_settings.h"
#include "sweep/selector.h"

namespace assay::compare {

struct CompareRequest {
  record::ExperimentLayout experiment;
  std::vector<std::string> metrics;         // empty: the metrics found
  std::optional<sweep::Selector> baseline;  // marks the matching rows; the others are compared with them
  bool mixed_code = false;
  std::string current_code;                        // build id of today's training library; empty when unknown
  std::string command;                             // as entered, for the provenance
  std::vector<record::ExperimentLayout> others{};  // experiments to append; labels then name the experiment
  std::optional<study::Tune> tune{};               // rows that differ only in these axes become one, the best
  std::optional<study::Report> report{};           // what tuned rows report
  std::vector<study::EqualCost> equal{};           // costs that must be equal across rows; a note lists the exceptions
  bool drop_unmatched = false;                     // no note on rows without a partner in the baseline
  std::string note{};                              // of the experiment's author, the first below the table
  std::vector<std::string> pool_to{};              // if not empty, rows that agree in these axes become one, their mean
  bool all_columns = false;                        // every metric, and axes in which no rows differ
  Spread spread = Spread::kCi95;
};

}  // namespace assay::compare
