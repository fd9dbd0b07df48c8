// A plan put to work: runs what has no record yet and says how it went.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <ostream>
#include <vector>

#include "launch/local.h"
#include "launch/prune.h"

namespace assay::launch {

struct SweepOptions {
  std::filesystem::path worker;
  std::filesystem::path experiment;  // results/<experiment>, made where there is none
  int jobs = 0;                      // see LaunchOptions, as what follows
  bool exclusive = false;
  bool fail_fast = false;
  int retries = 0;
  std::chrono::seconds timeout{0};
  std::int64_t until = 0;  // pause every run when so many steps are done; 0: go on to the end
  bool dry_run = false;    // says what it would run; writes nothing
  std::optional<Pruning> pruning{};
};

// Messages go to `out`. Exit code: 0 all done, 1 a run failed or another process still runs one, 75 stopped in good
// order and not by a signal from outside of assay, 128 + n stopped by signal n.
int run_sweep(const std::vector<nlohmann::json>& plan, const SweepOptions& options, std::ostream& out,
              const ProgressStyle& style);

}  // namespace assay::launch
