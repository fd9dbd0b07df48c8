// Runs a plan: starts the runs without a complete record and reports the outcome.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <ostream>
#include <vector>

#include "launch/local.h"
#include "launch/prune.h"
#include "record/plan_line/plan_line.h"

namespace assay::launch {

struct SweepOptions {
  std::filesystem::path worker;
  std::filesystem::path experiment;  // results/<experiment>, created if it does not exist
  int jobs = 0;                      // this and the following: see LaunchOptions
  bool exclusive = false;
  bool fail_fast = false;
  int retries = 0;
  std::chrono::seconds timeout{0};
  std::int64_t until = 0;    // pause every run after this many steps; 0: run to the end
  bool share_trunks = true;  // train steps that runs have in common once; never with `exclusive`, which is for timing
  bool dry_run = false;      // prints what it would run; writes nothing
  std::optional<Pruning> pruning{};
};

// Messages go to `out`. Exit code: 0 all done, 1 a run failed or another process still runs one, 75 stopped after a
// checkpoint and not by an outside signal, 128 + n stopped by signal n.
int run_sweep(const std::vector<record::PlanLine>& plan, const SweepOptions& options, std::ostream& out,
              const ProgressStyle& style);

}  // namespace assay::launch
