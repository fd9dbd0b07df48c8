// A plan put to work: runs what has no record yet and says how it went.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <ostream>
#include <vector>

#include "launch/local.h"

namespace assay {

struct SweepOptions {
  std::filesystem::path worker;
  std::filesystem::path experiment;  // results/<experiment>, made where there is none
  int jobs = 0;                      // 0: cores divided by what one run asks
  bool fail_fast = false;
  bool dry_run = false;  // says what it would run; writes nothing
};

// Messages go to `out`. Exit code: 0 all done, 1 a run failed or another process still runs one, 130 interrupted.
int run_sweep(const std::vector<nlohmann::json>& plan, const SweepOptions& options, std::ostream& out,
              const ProgressStyle& style);

}  // namespace assay
