// Durations of earlier runs on this machine, from which a plan estimates its own duration.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace assay::record {

struct EarlierRun {
  std::string group;
  double flops = 0;    // of its training, exact
  double seconds = 0;  // from start to records, evaluations included
};

// The newest thousand finished runs of this host, over all experiments under a results root. Records that cannot be
// read are skipped.
std::vector<EarlierRun> earlier_runs(const std::filesystem::path& results_root, const std::string& host);

// Estimates the duration of a run with this many FLOPs: the mean over earlier runs of its group, else its FLOPs at the
// median rate of the five earlier runs nearest to it in FLOPs, because small models take longer per FLOP. Returns no
// value without earlier runs.
std::optional<double> estimated_seconds(const std::string& group, double flops, const std::vector<EarlierRun>& earlier);

}  // namespace assay::record
