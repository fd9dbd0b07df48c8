// Examples of model output: the texts that evaluations kept, side by side.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/layout.h"
#include "record/plan_line/plan_line.h"

namespace assay::report {

// The examples of one run, one per row.
struct WrittenExamples {
  std::string label;
  std::int64_t seed = 0;
  std::vector<std::string> columns;            // "prompt", "human", "greedy: continuation"
  std::vector<std::vector<std::string>> rows;  // any bytes; "" if an evaluation has no such text
};

// For every group the first run that has records with texts; at most `most` examples each. A text that is equal in all
// evaluations of the run is listed once, under its own name.
std::vector<WrittenExamples> written_examples(const std::vector<record::PlanLine>& plan_lines,
                                              const record::ExperimentLayout& experiment, std::size_t most);

}  // namespace assay::report
