// The metrics that one run logged during training, read from its events.jsonl.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace assay::report {

struct LoggedMetric {
  std::string name;  // as in tables: train.loss, lm.bits_per_byte@length=64
  std::string unit{}, direction = "none";
  std::vector<std::pair<std::int64_t, double>> points{};  // (step, value) sorted by step, finite values only
};

// In the order in which the metrics were first logged.
using RunLog = std::vector<LoggedMetric>;

RunLog read_run_log(const std::filesystem::path& events);

// The logs of many runs. A file that has not changed since the last read is not read again.
class RunLogs {
 public:
  // Reads new and changed files on all cores; a missing file has an empty log.
  void refresh(const std::vector<std::filesystem::path>& events);
  // The log of a file that was passed to the last refresh.
  const RunLog& of(const std::filesystem::path& events) const { return known_.at(events).log; }

 private:
  struct Known {
    std::uintmax_t size = 0;
    std::filesystem::file_time_type time{};
    RunLog log{};
  };
  std::map<std::filesystem::path, Known> known_;
};

}  // namespace assay::report
