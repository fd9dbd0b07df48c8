// How long runs took on this machine before, so that a plan can say how long it will take.
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

// The finished runs of all experiments under a results root that this host made, the newest thousand of them. Records
// that cannot be read are passed over.
std::vector<EarlierRun> earlier_runs(const std::filesystem::path& results_root, const std::string& host);

// Of a run with so many FLOPs: the mean of earlier runs of its group, else its FLOPs at the median rate of the five
// earlier runs that are nearest to it in FLOPs, for small models are slower a FLOP. Nothing without earlier runs.
std::optional<double> estimated_seconds(const std::string& group, double flops, const std::vector<EarlierRun>& earlier);

}  // namespace assay::record
