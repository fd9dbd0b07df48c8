#include "record/orphans.h"

#include <algorithm>
#include <set>

namespace assay::record {

std::vector<RunLayout> orphans_of(const ExperimentLayout& experiment, const std::vector<PlanLine>& plan_lines) {
  std::set<std::string> planned;
  for (const auto& line : plan_lines) planned.insert(line.train_id);
  std::vector<RunLayout> orphans;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(experiment.folder() / "runs", absent))
    if (entry.is_directory() && !planned.count(entry.path().filename().string())) orphans.emplace_back(entry.path());
  std::ranges::sort(orphans, {}, &RunLayout::folder);
  return orphans;
}

}  // namespace assay::record
