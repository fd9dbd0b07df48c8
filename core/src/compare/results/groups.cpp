#include "compare/results/groups.h"

#include <algorithm>
#include <map>

namespace assay::compare {

std::vector<Group> groups_of(const Results& results) {
  std::vector<Group> groups;
  std::map<std::pair<std::string, std::string>, std::size_t> index;
  for (const auto& run : results.runs) {
    const auto [found, is_new] = index.try_emplace({run.experiment, run.group}, groups.size());
    if (is_new) groups.emplace_back();
    groups[found->second].push_back(&run);
  }
  return groups;
}

std::vector<const record::PlanLine*> lines_of(const std::vector<Group>& groups) {
  std::vector<const record::PlanLine*> lines;
  for (const auto& group : groups) lines.push_back(&group.front()->line);
  return lines;
}

const RunResult* with_seed(const Group& group, std::int64_t seed) {
  const auto found = std::find_if(group.begin(), group.end(), [&](const RunResult* run) { return run->seed == seed; });
  return found == group.end() ? nullptr : *found;
}

bool is_reported(std::int64_t seed, const std::vector<std::int64_t>& reported) {
  return reported.empty() || std::find(reported.begin(), reported.end(), seed) != reported.end();
}

}  // namespace assay::compare
