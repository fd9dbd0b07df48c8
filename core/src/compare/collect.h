// Records to table: a row is a group, a cell the values its seeds gave.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compare/table.h"
#include "config/selector.h"
#include "record/layout.h"

namespace assay {

struct CompareRequest {
  ExperimentLayout experiment;
  std::vector<std::string> metrics;          // empty: what was found
  std::optional<config::Selector> baseline;  // marks the rows that it matches
  bool mixed_code = false;
  std::string current_code;  // build id of today's training library; empty when unknown
  std::string command;       // as typed, for the provenance
};

// Throws UserError (unknown metric, a baseline that is no row, no results) and MixedCode.
Table collect(const CompareRequest& request);

}  // namespace assay
