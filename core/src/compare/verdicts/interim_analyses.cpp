#include "compare/verdicts/interim_analyses.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "base/files.h"
#include "compare/statistics/families.h"

namespace assay::compare {
namespace {

using nlohmann::json;

std::filesystem::path file_of(const record::ExperimentLayout& experiment) { return experiment.folder() / "looks.json"; }

}  // namespace

std::vector<std::size_t> interim_seed_counts(std::size_t first, std::size_t last) {
  std::vector<std::size_t> counts;
  for (std::size_t seeds = first; seeds < last; seeds += std::max<std::size_t>(1, seeds / 2)) counts.push_back(seeds);
  counts.push_back(last);
  return counts;
}

InterimAnalyses read_interim_analyses(const record::ExperimentLayout& experiment) {
  InterimAnalyses interim;
  const auto file = file_of(experiment);
  if (!std::filesystem::exists(file)) return interim;
  try {
    const auto document = json::parse(base::read_file(file));
    interim.most_seeds = document.at("most_seeds").get<std::size_t>();
    for (const auto& analysis : document.at("looks"))
      interim.analyses.push_back({analysis.at("seeds").get<std::size_t>(), analysis.at("level").get<double>(),
                                  analysis.at("decided").get<std::map<std::string, std::string>>()});
  } catch (const json::exception& error) {
    throw UserError(file.string() + ": the file does not hold the interim analyses of a study (" + error.what() +
                    "); restore it, because verdicts depend on the earlier analyses");
  }
  return interim;
}

void write_interim_analyses(const record::ExperimentLayout& experiment, const InterimAnalyses& interim) {
  json document = {{"most_seeds", interim.most_seeds}, {"looks", json::array()}};
  for (const auto& analysis : interim.analyses)
    document["looks"].push_back({{"seeds", analysis.seeds}, {"level", analysis.level}, {"decided", analysis.decided}});
  base::write_atomically(file_of(experiment), document.dump(1) + "\n");
}

double level_with(const InterimAnalyses& interim, std::size_t seeds, double level) {
  if (interim.most_seeds == 0) return level;
  const auto fraction = [&](std::size_t n) { return static_cast<double>(n) / static_cast<double>(interim.most_seeds); };
  std::size_t before = 0;
  for (const auto& analysis : interim.analyses) {
    if (analysis.seeds == seeds) return analysis.level;
    before = std::max(before, analysis.seeds);
  }
  return interim_level(level, fraction(before), fraction(seeds));
}

}  // namespace assay::compare
