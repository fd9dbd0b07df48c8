// What a table is asked for.
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
  std::vector<std::string> metrics;         // empty: what was found
  std::optional<sweep::Selector> baseline;  // marks the rows that it matches; the others are compared with them
  bool mixed_code = false;
  std::string current_code;                        // build id of today's training library; empty when unknown
  std::string command;                             // as typed, for the provenance
  std::vector<record::ExperimentLayout> others{};  // whose rows stand below; then labels name the experiment
  std::optional<study::Tune> tune{};               // rows that differ in these axes alone become one, the best
  std::optional<study::Report> report{};           // what tuned rows report
  std::vector<study::EqualCost> equal{};  // costs in which rows are to be equal; a note says where they are not
  bool drop_unmatched = false;            // a row without a partner in the baseline is no matter of a note
  std::vector<std::string> pool_to{};     // not empty: rows that agree in these axes become one, their mean
  bool all_columns = false;               // every metric, and axes in which no rows differ
  Spread spread = Spread::kCi95;
};

}  // namespace assay::compare
