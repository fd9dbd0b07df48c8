// The failed runs of an experiment, with the reasons and the last lines of their logs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/layout.h"
#include "record/plan_line/plan_line.h"

namespace assay::report {

struct Failure {
  std::string label, train_id;
  std::int64_t seed = 0;
  std::string failure_class;            // as in state.json
  std::string reason;                   // one line
  std::string ending;                   // "exit code 1", "SIGKILL"; empty when unknown
  std::vector<std::string> last_lines;  // last lines of log.txt; any bytes
};

// The runs with status failed, in the order of the plan.
std::vector<Failure> failures_of(const std::vector<record::PlanLine>& plan_lines,
                                 const record::ExperimentLayout& experiment, std::size_t most_lines);

// At most `most_lines` lines from the end of a file; only its last 16 KiB are read. Empty if there is no file.
std::vector<std::string> last_lines(const std::filesystem::path& file, std::size_t most_lines);

}  // namespace assay::report
