// looks.json: the interim analyses of a growing study. `assay run --until-decided` judges its claims after every few
// seeds. By alpha spending (families.h) each analysis may spend only its share of the 5%, and what an analysis has
// decided remains decided.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "record/layout.h"

namespace assay::compare {

struct InterimAnalysis {
  std::size_t seeds = 0;
  double level = 0;
  std::map<std::string, std::string> decided;  // hash of a claim -> supported or refuted, for newly decided claims
};

struct InterimAnalyses {
  std::size_t most_seeds = 0;  // final number of seeds, fixed before the first analysis
  std::vector<InterimAnalysis> analyses;
};

// The numbers of seeds at which analyses take place, from the first to the last, each half as many again as the one
// before. They are fixed before there is any result, because the levels hold only for analyses that do not depend on
// results.
std::vector<std::size_t> interim_seed_counts(std::size_t first, std::size_t last);

// Empty if there is no such file. Throws UserError when it is corrupt.
InterimAnalyses read_interim_analyses(const record::ExperimentLayout& experiment);
void write_interim_analyses(const record::ExperimentLayout& experiment, const InterimAnalyses& interim);

// The level of a test with this many seeds: the full level in a study without interim analyses, the earlier level if an
// analysis had as many seeds, otherwise the alpha that is newly spent since the last analysis; beyond most_seeds
// nothing is left.
double level_with(const InterimAnalyses& interim, std::size_t seeds, double level);

}  // namespace assay::compare
