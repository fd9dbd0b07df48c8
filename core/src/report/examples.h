// What models wrote: the texts that evaluations kept of their examples, side by side.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "record/layout.h"

namespace assay::report {

// Of one run; rows are examples.
struct WrittenExamples {
  std::string label;
  std::int64_t seed = 0;
  std::vector<std::string> columns;            // "prompt", "human", "greedy: continuation"
  std::vector<std::vector<std::string>> rows;  // any bytes; "" where an evaluation has no such text
};

// Of every group the first run that has records with texts; at most so many examples each. A text that all evaluations
// of the run have alike stands once, under its own name.
std::vector<WrittenExamples> written_examples(const std::vector<nlohmann::json>& plan_lines,
                                              const record::ExperimentLayout& experiment, std::size_t most);

}  // namespace assay::report
