// The provenance of a table: code, machines and data; and the error for mixed code.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "compare/results/run_results.h"

namespace assay::compare {

// The records of one table were made by different code. The exit code is 5.
class MixedCode : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One line per difference ("training library: 3f2a... (4 runs), 77ab... (2 runs)"); empty if all code is the same.
std::vector<std::string> code_differences(const Results& results);

// Throws MixedCode, with the experiment's folder, if there are such differences and they are not `allowed`.
void refuse_mixed_code(const Results& results, const record::ExperimentLayout& experiment, bool allowed);

// The distinct conditions under which timings were measured, in the order of the plan.
std::vector<std::string> timing_conditions(const Results& results);

// Plan hash, code, commit, data, machines and command, which every table ends with.
std::vector<std::pair<std::string, std::string>> provenance_of(const Results& results, const std::string& command);

}  // namespace assay::compare
