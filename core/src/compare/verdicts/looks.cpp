#include "compare/verdicts/looks.h"

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

std::vector<std::size_t> looks_from(std::size_t first, std::size_t last) {
  std::vector<std::size_t> looks;
  for (std::size_t seeds = first; seeds < last; seeds += std::max<std::size_t>(1, seeds / 2)) looks.push_back(seeds);
  looks.push_back(last);
  return looks;
}

Looks read_looks(const record::ExperimentLayout& experiment) {
  Looks looks;
  const auto file = file_of(experiment);
  if (!std::filesystem::exists(file)) return looks;
  try {
    const auto document = json::parse(base::read_file(file));
    looks.most_seeds = document.at("most_seeds").get<std::size_t>();
    for (const auto& look : document.at("looks"))
      looks.looks.push_back({look.at("seeds").get<std::size_t>(), look.at("level").get<double>(),
                             look.at("decided").get<std::map<std::string, std::string>>()});
  } catch (const json::exception& error) {
    throw UserError(file.string() + ": the file does not hold the interim analyses of a study (" + error.what() +
                    "); restore it, because verdicts depend on the earlier analyses");
  }
  return looks;
}

void write_looks(const record::ExperimentLayout& experiment, const Looks& looks) {
  json document = {{"most_seeds", looks.most_seeds}, {"looks", json::array()}};
  for (const auto& look : looks.looks)
    document["looks"].push_back({{"seeds", look.seeds}, {"level", look.level}, {"decided", look.decided}});
  base::write_atomically(file_of(experiment), document.dump(1) + "\n");
}

double level_with(const Looks& looks, std::size_t seeds, double level) {
  if (looks.most_seeds == 0) return level;
  const auto fraction = [&](std::size_t n) { return static_cast<double>(n) / static_cast<double>(looks.most_seeds); };
  std::size_t before = 0;
  for (const auto& look : looks.looks) {
    if (look.seeds == seeds) return look.level;
    before = std::max(before, look.seeds);
  }
  return level_of_look(level, fraction(before), fraction(seeds));
}

}  // namespace assay::compare
